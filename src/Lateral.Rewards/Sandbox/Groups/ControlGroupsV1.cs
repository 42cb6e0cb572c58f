namespace Lateral.Rewards.Sandbox.Groups;

/// <summary>Version 1: a tree of folders for each controller.</summary>
/// <param name="memory">folder of the memory tree to make groups in</param>
/// <param name="pids">that of the pids tree</param>
internal sealed class ControlGroupsV1(string memory, string pids) : IControlGroups
{
    public IEnumerable<string> Folders => [.. Directory.EnumerateDirectories(memory), .. Directory.EnumerateDirectories(pids)];

    public IControlGroup Make(string name, long memoryLimit, int processes)
    {
        var group = new Group(Path.Combine(memory, name), Path.Combine(pids, name), memoryLimit);
        group.Limit(processes);
        return group;
    }

    private sealed class Group(string memory, string pids, long memoryLimit) : IControlGroup
    {
        private const string MostUsed = "memory.max_usage_in_bytes", MostUsedWithSwap = "memory.memsw.max_usage_in_bytes";

        /// <summary>Memory is asked for in steps, the largest of which is a huge page: the one that is refused is not counted as used.</summary>
        private const long Step = 4 << 20;

        public IReadOnlyList<string> Entrances { get; } = [Path.Combine(memory, "cgroup.procs"), Path.Combine(pids, "cgroup.procs")];

        public MemoryMark Mark()
        {
            // The most that was used begins anew; how often the limit was met is not counted by every kernel that has this version.
            GroupFiles.Write(memory, MostUsed, 0);
            if (CountsSwap) GroupFiles.Write(memory, MostUsedWithSwap, 0);
            return new(Kills, 0);
        }

        public MemoryEnd Since(MemoryMark mark)
        {
            if (Kills == mark.Kills) return MemoryEnd.Enough;
            var most = Math.Max(GroupFiles.Number(memory, MostUsed), CountsSwap ? GroupFiles.Number(memory, MostUsedWithSwap) : 0);
            return most >= memoryLimit - Step ? MemoryEnd.OverLimit : MemoryEnd.MachineIsOut;
        }

        public IReadOnlyList<int> Processes => GroupFiles.Processes(pids);

        /// <summary>The file limits memory and swap together, and is only there where the kernel counts swap.</summary>
        private bool CountsSwap => File.Exists(Path.Combine(memory, "memory.memsw.limit_in_bytes"));

        private long Kills => GroupFiles.Number(memory, "memory.oom_control", "oom_kill");

        public void Limit(int processes)
        {
            Directory.CreateDirectory(memory);
            Directory.CreateDirectory(pids);
            GroupFiles.Write(memory, "memory.limit_in_bytes", memoryLimit);
            if (CountsSwap) GroupFiles.Write(memory, "memory.memsw.limit_in_bytes", memoryLimit);
            GroupFiles.Write(pids, "pids.max", processes);
        }

        public void Remove()
        {
            GroupFiles.Remove(memory);
            GroupFiles.Remove(pids);
        }
    }
}
