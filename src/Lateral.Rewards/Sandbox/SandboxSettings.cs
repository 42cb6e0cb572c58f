namespace Lateral.Rewards.Sandbox;

/// <summary>What a program may use, and where it runs.</summary>
public sealed record SandboxSettings
{
    /// <summary>Path of the interpreter; null = the distribution's /usr/bin/python3.</summary>
    public string? Python { get; init; }

    /// <summary>Wall clock of one program.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of all processes of a program together where there is a memory cgroup, of each one elsewhere.</summary>
    public long MemoryLimit { get; init; } = 256L << 20;

    /// <summary>Processes and threads of a program; see <see cref="Protection"/> for machines without a pids cgroup.</summary>
    public int Processes { get; init; } = 32;

    /// <summary>Bytes of a program's standard output, and as many of its standard error; one more ends it.</summary>
    public int OutputLimit { get; init; } = 64 << 10;

    /// <summary>Bytes of files that a program may write, in memory; they count as its memory, too.</summary>
    public long FileLimit { get; init; } = 32L << 20;

    /// <summary>Programs run at once.</summary>
    public int Slots { get; init; } = Environment.ProcessorCount;

    /// <summary>Where bubblewrap cannot be used, run programs without any walls. For tests only: what a model writes can then do all that this process may.</summary>
    public bool AcceptUnsandboxed { get; init; }

    /// <summary>Where bubblewrap is; null = not on this machine.</summary>
    internal string? Bubblewrap { get; init; } = SandboxCommand.Find("bwrap");
}

/// <summary>Whom a sandbox protects from what on this machine.</summary>
/// <param name="Walls">namespaces, a read-only root and the filter of system calls</param>
/// <param name="Groups">memory and process limits that hold for all processes of a program together</param>
/// <param name="Users">each slot is a user of its own</param>
public sealed record Protection(bool Walls, bool Groups, bool Users)
{
    /// <summary>Without a pids cgroup, processes and threads of one program; the memory limit holds for each of them.</summary>
    public const int ProcessesWithoutGroup = 8;

    /// <summary>One sentence for each protection that is missing.</summary>
    public IReadOnlyList<string> Missing =>
    [
        .. Walls ? Array.Empty<string>() : ["no walls: programs run as this user, with its files and its network"],
        .. Groups ? Array.Empty<string>() : [$"no memory and pids cgroup can be written: the memory limit holds for each process of a program, of which there are at most {ProcessesWithoutGroup}, and files in memory are not counted"],
        .. Users ? Array.Empty<string>() : ["not root: programs of all slots run as this user, inside their own namespaces"],
    ];
}
