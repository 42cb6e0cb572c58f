using System.Diagnostics;

namespace Lateral.Rewards.Sandbox;

/// <summary>An interpreter and what it has to read.</summary>
/// <param name="Executable">the file itself, behind all links</param>
/// <param name="Folders">its standard library and the machine's shared libraries</param>
internal sealed record PythonInstallation(string Executable, IReadOnlyList<string> Folders)
{
    /// <summary>Where distributions have it; a program built here would bring its own ideas of where its libraries are.</summary>
    public const string Usual = "/usr/bin/python3";

    // One a line: the file, then the folders of the standard library; of an interpreter that is nobody's package, all its libraries.
    private const string Question = "import os, sys, sysconfig; print(os.path.realpath(sys.executable)); [print(os.path.realpath(p)) for p in sorted({sysconfig.get_path('stdlib'), sysconfig.get_path('platstdlib')} if sys.base_prefix == '/usr' else {os.path.join(sys.base_prefix, 'lib')})]; print('version', *sys.version_info[:2])";

    private static readonly string[] Libraries = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/lib/x86_64-linux-gnu", "/lib64"];

    /// <exception cref="SandboxUnavailableException">there is none, it does not start, or it is too old</exception>
    public static async Task<PythonInstallation> FindAsync(string? path, CancellationToken cancellation)
    {
        var asked = path ?? Usual;
        if (!File.Exists(asked))
            throw new SandboxUnavailableException($"there is no Python interpreter at {asked}: programs are written in Python - apt-get install python3, or name one that all users may read with the key python");
        var start = new ProcessStartInfo(asked) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var argument in new[] { "-I", "-S", "-B", "-c", Question }) start.ArgumentList.Add(argument);
        using var process = Started(start, asked);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancellation), process.StandardError.ReadToEndAsync(cancellation));
        await process.WaitForExitAsync(cancellation);
        var lines = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (process.ExitCode != 0 || lines.Length < 3 || lines[^1].Split(' ') is not ["version", "3", var minor] || !int.TryParse(minor, out var number))
            throw new SandboxUnavailableException($"{asked} is no working Python 3: it ended with {process.ExitCode}: {(await errors).Trim()}");
        if (number < 9) throw new SandboxUnavailableException($"{asked} is Python 3.{number}, and programs are taken apart with what 3.9 has - name a newer one with the key python");
        return new(lines[0], [.. lines[1..^1].Concat(Libraries.Where(Directory.Exists)).Distinct(StringComparer.Ordinal)]);
    }

    private static Process Started(ProcessStartInfo start, string asked)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception refused)
        {
            throw new SandboxUnavailableException($"{asked} cannot be run: {refused.Message}", refused);
        }
    }
}
