using Lateral.Rewards.Sandbox.Kernel;

namespace Lateral.Rewards.Sandbox.Groups;

/// <summary>The counters of a group at some time.</summary>
/// <param name="Kills">processes that the kernel has killed for memory</param>
/// <param name="Hits">how often the group was at its limit, where the kernel counts that</param>
internal readonly record struct MemoryMark(long Kills, long Hits);

/// <summary>What came of a program's memory.</summary>
internal enum MemoryEnd
{
    Enough,

    /// <summary>The group was at its own limit.</summary>
    OverLimit,

    /// <summary>The whole machine had no memory left, which is not the program's doing.</summary>
    MachineIsOut,
}

/// <summary>One slot's memory and process limits, which hold for all its processes together. It lives as long as the slot.</summary>
internal interface IControlGroup
{
    /// <summary>Files to write a process' id into, so that it and its children are in the group.</summary>
    IReadOnlyList<string> Entrances { get; }

    /// <summary>Taken before a program runs.</summary>
    MemoryMark Mark();

    /// <summary>Whether the kernel has killed processes for memory since then, and why.</summary>
    MemoryEnd Since(MemoryMark mark);

    IReadOnlyList<int> Processes { get; }

    /// <summary>Takes the folders away; the group has to be empty.</summary>
    void Remove();
}

/// <summary>Where groups are made.</summary>
internal interface IControlGroups
{
    /// <exception cref="SandboxFaultException">the system refuses</exception>
    IControlGroup Make(string name, long memory, int processes);

    /// <summary>Groups whose owner is gone without having removed them.</summary>
    IEnumerable<string> Folders { get; }
}

/// <summary>What both versions of the kernel's interface share: settings are files of a line or two.</summary>
internal static class GroupFiles
{
    public static void Write(string folder, string file, long value) => Do(folder, file, path => File.WriteAllText(path, FormattableString.Invariant($"{value}\n")));

    public static void WriteText(string folder, string file, string value) => Do(folder, file, path => File.WriteAllText(path, value));

    public static long Number(string folder, string file) => Do(folder, file, path => long.Parse(File.ReadAllText(path), System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>The number behind a name, in a file of a name and a number a line; 0 where it has none.</summary>
    public static long Number(string folder, string file, string name) => Do(folder, file, path =>
        File.ReadLines(path).Select(line => line.Split(' ')).Where(parts => parts is [var found, _] && found == name).Select(parts => long.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture)).FirstOrDefault());

    public static IReadOnlyList<int> Processes(string folder) =>
        Do(folder, "cgroup.procs", path => File.ReadLines(path).Select(line => int.Parse(line, System.Globalization.CultureInfo.InvariantCulture)).ToArray());

    public static void Remove(string folder) => Do(folder, "", path =>
    {
        if (Directory.Exists(path)) Directory.Delete(path);
    });

    private static void Do(string folder, string file, Action<string> work) => _ = Do(folder, file, path =>
    {
        work(path);
        return 0;
    });

    private static T Do<T>(string folder, string file, Func<string, T> work)
    {
        var path = file.Length == 0 ? folder : Path.Combine(folder, file);
        try
        {
            return work(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new SandboxFaultException($"control group '{path}': {refused.Message}", refused);
        }
    }
}
