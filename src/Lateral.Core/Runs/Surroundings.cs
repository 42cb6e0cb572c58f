namespace Lateral.Core.Runs;

/// <summary>How a run's process ended.</summary>
public enum RunEndKind
{
    Finished,

    /// <summary>Stopped on request, and saved.</summary>
    Interrupted,

    /// <summary>Stopped on request at once; what was journaled is safe.</summary>
    Abandoned,
    Failed,
}

/// <summary>What a run's process said before it ended.</summary>
/// <param name="Reason">the message the user got; null unless it failed</param>
public sealed record RunEnd(RunEndKind Kind, string? Reason = null);

/// <summary>What can be seen of a run without asking it.</summary>
/// <param name="Running">a process holds the run's lock</param>
/// <param name="Process">its id; null when no process ever wrote a status</param>
/// <param name="SilentSeconds">since the process last wrote its status, or began</param>
/// <param name="FreeBytes">left on the disk of the run directory</param>
/// <param name="End">what the last process said before it ended; null while it runs and when it was killed</param>
/// <param name="Suspended">the operating system has stopped the process (SIGSTOP, a debugger)</param>
public sealed record Surroundings(bool Running, int? Process, double SilentSeconds, long FreeBytes, RunEnd? End, bool Suspended)
{
    /// <summary>As the run's own process sees itself.</summary>
    public static Surroundings Inside { get; } = new(true, null, 0, long.MaxValue, null, false);
}
