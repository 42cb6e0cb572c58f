using Lateral.Rewards.Sandbox.Kernel;

namespace Lateral.Rewards.Sandbox.Groups;

/// <summary>Finds out which version of the kernel's interface is mounted, and where in it this process may make groups.</summary>
/// <param name="mounts">the text of /proc/self/mounts</param>
/// <param name="own">the text of /proc/self/cgroup</param>
internal sealed class ControlGroupFinder(string mounts, string own)
{
    private const string Mine = "lateral-";

    public static ControlGroupFinder System() => new(File.ReadAllText("/proc/self/mounts"), File.ReadAllText("/proc/self/cgroup"));

    /// <summary>Null where there is nothing that can be written.</summary>
    public IControlGroups? Find()
    {
        foreach (var groups in Candidates())
        {
            var probe = Name("probe");
            try
            {
                var group = groups.Make(probe, 64 << 20, 8);
                _ = (group.Since(group.Mark()), group.Processes);
                group.Remove();
                return groups;
            }
            catch (Exception refused) when (refused is SandboxFaultException or IOException or UnauthorizedAccessException)
            {
                // Not this one; whoever gets none is told what is missing (Protection).
            }
        }

        return null;
    }

    /// <summary>A group's name says whose it is, so that one whose owner was killed can be told from one in use.</summary>
    public static string Name(string what) => $"{Mine}{Environment.ProcessId}-{what}";

    /// <summary>Removes groups of processes that are gone; one that still holds processes stays.</summary>
    public static void Sweep(IControlGroups groups)
    {
        foreach (var folder in groups.Folders)
        {
            if (Path.GetFileName(folder).Split('-') is not ["lateral", var text, ..] || !int.TryParse(text, out var owner) || Native.Exists(owner)) continue;
            if (GroupFiles.Processes(folder).Count == 0) GroupFiles.Remove(folder);
        }
    }

    /// <summary>What may be written, if the system agrees; nearest to this process first.</summary>
    internal IEnumerable<IControlGroups> Candidates()
    {
        if (Mounted("cgroup", "memory") is { } memory && Mounted("cgroup", "pids") is { } pids)
        {
            // Below this process' own groups, so that what limits it limits programs, too; a container sees only a part of the tree.
            foreach (var inMemory in Places(memory, Own("memory"), above: false))
            {
                foreach (var inPids in Places(pids, Own("pids"), above: false)) yield return new ControlGroupsV1(inMemory, inPids);
            }
        }

        if (Mounted("cgroup2", null) is not { } unified) yield break;
        foreach (var place in Places(unified, Own(""), above: true))
        {
            if (OffersSafely(place)) yield return new ControlGroupsV2(place);
        }
    }

    private static bool OffersSafely(string place)
    {
        try
        {
            return ControlGroupsV2.Offers(place);
        }
        catch (Exception refused) when (refused is SandboxFaultException or IOException or UnauthorizedAccessException)
        {
            // A folder with processes of its own, or somebody else's.
            return false;
        }
    }

    /// <param name="option">the controller among the mount's options; null = any</param>
    private string? Mounted(string type, string? option) => mounts.Split('\n').Select(line => line.Split(' '))
        .FirstOrDefault(fields => fields.Length > 3 && fields[2] == type && (option is null || fields[3].Split(',').Contains(option)))?[1];

    /// <summary>Lines are <c>4:memory:/path</c>, or <c>0::/path</c> of version 2.</summary>
    private string Own(string controller) => own.Split('\n').Select(line => line.Split(':', 3)).FirstOrDefault(parts => parts.Length == 3 && parts[1].Split(',').Contains(controller))?[2] ?? "/";

    /// <param name="above">also the folder above this process' own: in version 2 a folder either holds processes or hands controllers down</param>
    private static IEnumerable<string> Places(string root, string path, bool above)
    {
        var below = Path.Join(root, path.TrimStart('/')).TrimEnd('/');
        if (!Directory.Exists(below) || below == root) return [root];
        return above && Path.GetDirectoryName(below) is { } parent && parent != root ? [below, parent, root] : [below, root];
    }
}
