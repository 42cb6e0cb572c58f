namespace Lateral.Rewards.Sandbox.Groups;

/// <summary>Version 2: one tree, whose folders hand controllers down to those below them.</summary>
/// <param name="parent">folder to make groups in; it has to have the controllers, and may hold no processes unless it is the root</param>
internal sealed class ControlGroupsV2(string parent) : IControlGroups
{
    public IEnumerable<string> Folders => Directory.EnumerateDirectories(parent);

    /// <summary>Whether groups with limits can be made here; hands the controllers down where that is still to be done.</summary>
    public static bool Offers(string parent)
    {
        if (!Has(parent, "cgroup.controllers")) return false;
        if (!Has(parent, "cgroup.subtree_control")) GroupFiles.WriteText(parent, "cgroup.subtree_control", "+memory +pids");
        return Has(parent, "cgroup.subtree_control");
    }

    public IControlGroup Make(string name, long memory, int processes)
    {
        var folder = Path.Combine(parent, name);
        Directory.CreateDirectory(folder);
        GroupFiles.Write(folder, "memory.max", memory);
        if (File.Exists(Path.Combine(folder, "memory.swap.max"))) GroupFiles.Write(folder, "memory.swap.max", 0);
        GroupFiles.Write(folder, "pids.max", processes);
        return new Group(folder);
    }

    private static bool Has(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        return File.Exists(path) && File.ReadAllText(path).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries) is var controllers && controllers.Contains("memory") && controllers.Contains("pids");
    }

    private sealed class Group(string folder) : IControlGroup
    {
        public IReadOnlyList<string> Entrances { get; } = [Path.Combine(folder, "cgroup.procs")];

        public MemoryMark Mark() => new(GroupFiles.Number(folder, "memory.events", "oom_kill"), GroupFiles.Number(folder, "memory.events", "oom"));

        public MemoryEnd Since(MemoryMark mark)
        {
            var now = Mark();
            return now.Kills == mark.Kills ? MemoryEnd.Enough : now.Hits > mark.Hits ? MemoryEnd.OverLimit : MemoryEnd.MachineIsOut;
        }

        public IReadOnlyList<int> Processes => GroupFiles.Processes(folder);

        public void Remove() => GroupFiles.Remove(folder);
    }
}
