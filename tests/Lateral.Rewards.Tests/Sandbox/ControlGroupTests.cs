using Lateral.Rewards.Sandbox;
using Lateral.Rewards.Sandbox.Groups;
using Lateral.Rewards.Sandbox.Kernel;

namespace Lateral.Rewards.Tests.Sandbox;

/// <summary>Both versions of the kernel's interface over folders of ordinary files: what is written, and how counters are read.</summary>
public sealed class ControlGroupTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("lateral-groups-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Version_2_must_write_its_limits_and_tell_a_full_group_from_a_full_machine()
    {
        var group = new ControlGroupsV2(_root.FullName).Make("slot", 256 << 20, 40);
        Assert.Equal("268435456\n", Read("slot", "memory.max"));
        Assert.Equal("40\n", Read("slot", "pids.max"));
        Assert.Equal([At("slot", "cgroup.procs")], group.Entrances);

        Write("low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\noom_group_kill 0\n", "slot", "memory.events");
        var mark = group.Mark();
        Assert.Equal(MemoryEnd.Enough, group.Since(mark));
        Write("max 9\noom 2\noom_kill 2\n", "slot", "memory.events");
        Assert.Equal(MemoryEnd.OverLimit, group.Since(mark));
        Write("max 7\noom 1\noom_kill 2\n", "slot", "memory.events");
        Assert.Equal(MemoryEnd.MachineIsOut, group.Since(mark));
        Write("max 9\noom 2\noom_kill 1\n", "slot", "memory.events");
        Assert.Equal(MemoryEnd.Enough, group.Since(mark));

        Write("17\n4711\n", "slot", "cgroup.procs");
        Assert.Equal([17, 4711], group.Processes);
    }

    [Fact]
    public void Version_2_must_forbid_swap_where_there_is_any()
    {
        Directory.CreateDirectory(At("slot"));
        Write("max\n", "slot", "memory.swap.max");
        new ControlGroupsV2(_root.FullName).Make("slot", 1, 1);
        Assert.Equal("0\n", Read("slot", "memory.swap.max"));
    }

    [Theory]
    [InlineData("cpu memory pids", "memory pids", true)]
    [InlineData("cpu memory pids", "cpu", false)]
    [InlineData("cpu hugetlb", "", false)]
    [InlineData("memory", "memory", false)]
    public void Version_2_must_offer_what_has_both_controllers(string controllers, string handedDown, bool offers)
    {
        Write(controllers + "\n", "cgroup.controllers");
        Write(handedDown + "\n", "cgroup.subtree_control");
        // An ordinary file holds what is written and does not hand anything down: the second row asks, and sees that it got what it asked for in other words.
        Assert.Equal(offers, ControlGroupsV2.Offers(_root.FullName));
        if (handedDown == "cpu") Assert.Equal("+memory +pids", Read("cgroup.subtree_control"));
    }

    [Fact]
    public void Version_1_must_write_its_limits_and_tell_a_full_group_from_a_full_machine()
    {
        Directory.CreateDirectory(At("memory", "slot"));
        Write("0\n", "memory", "slot", "memory.memsw.limit_in_bytes");
        var group = new ControlGroupsV1(At("memory"), At("pids")).Make("slot", 256 << 20, 40);
        Assert.Equal("268435456\n", Read("memory", "slot", "memory.limit_in_bytes"));
        Assert.Equal("268435456\n", Read("memory", "slot", "memory.memsw.limit_in_bytes"));
        Assert.Equal("40\n", Read("pids", "slot", "pids.max"));
        Assert.Equal([At("memory", "slot", "cgroup.procs"), At("pids", "slot", "cgroup.procs")], group.Entrances);

        Write("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "memory", "slot", "memory.oom_control");
        var mark = group.Mark();
        Assert.Equal("0\n", Read("memory", "slot", "memory.max_usage_in_bytes"));
        Assert.Equal(MemoryEnd.Enough, group.Since(mark));
        Write("oom_kill 4\n", "memory", "slot", "memory.oom_control");
        Assert.Equal(MemoryEnd.MachineIsOut, group.Since(mark));
        // One step below the limit: the step that was refused would have gone over it.
        Write($"{(256 << 20) - 4096}\n", "memory", "slot", "memory.memsw.max_usage_in_bytes");
        Assert.Equal(MemoryEnd.OverLimit, group.Since(mark));
    }

    [Fact]
    public void A_refused_file_must_be_named()
    {
        var group = new ControlGroupsV2(_root.FullName).Make("slot", 1, 1);
        Assert.Contains(At("slot", "memory.events"), Assert.Throws<SandboxFaultException>(() => group.Mark()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Finder_must_take_version_1_below_its_own_groups_first()
    {
        Directory.CreateDirectory(At("memory", "mine"));
        Directory.CreateDirectory(At("pids"));
        var finder = new ControlGroupFinder($"cgroup {At("memory")} cgroup rw,relatime,memory 0 0\ncgroup {At("pids")} cgroup rw,pids 0 0\n", "8:pids:/\n4:memory:/mine\n0::/\n");
        Assert.Equal([At("memory", "mine", "x", "cgroup.procs"), At("pids", "x", "cgroup.procs")], finder.Candidates().First().Make("x", 1, 1).Entrances);
        Assert.Equal(2, finder.Candidates().Count());
    }

    [Fact]
    public void Finder_must_take_the_folder_above_where_its_own_cannot_hand_down()
    {
        Directory.CreateDirectory(At("service", "main"));
        Write("memory pids\n", "service", "cgroup.controllers");
        Write("memory pids\n", "service", "cgroup.subtree_control");
        Write("cpu\n", "service", "main", "cgroup.controllers");
        var finder = new ControlGroupFinder($"proc /proc proc rw 0 0\ncgroup2 {_root.FullName} cgroup2 rw,nsdelegate 0 0\n", "0::/service/main\n");
        Assert.Equal([At("service", "x", "cgroup.procs")], Assert.Single(finder.Candidates()).Make("x", 1, 1).Entrances);
    }

    [Fact]
    public void Finder_must_find_nothing_where_nothing_is_mounted_or_can_be_written()
    {
        Assert.Null(new ControlGroupFinder("proc /proc proc rw 0 0\n", "0::/\n").Find());
        // Ordinary folders have none of the kernel's files.
        Assert.Null(new ControlGroupFinder($"cgroup {At("memory")} cgroup rw,memory 0 0\ncgroup {At("pids")} cgroup rw,pids 0 0\n", "").Find());
    }

    private string At(params string[] parts) => Path.Combine([_root.FullName, .. parts]);

    private string Read(params string[] parts) => File.ReadAllText(At(parts));

    private void Write(string text, params string[] parts) => File.WriteAllText(At(parts), text);
}
