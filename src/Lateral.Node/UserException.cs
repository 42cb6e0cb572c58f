namespace Lateral.Node;

/// <summary>What the process tells its caller; scripts rely on the numbers.</summary>
public enum ExitCode
{
    Done = 0,

    /// <summary>A proof failed: the journal does not balance, or a replay came out otherwise.</summary>
    Violated = 1,

    /// <summary>Bad configuration, bad data or bad usage: the user's input has to change.</summary>
    Usage = 2,

    /// <summary>The machine: no libtorch, no such device, port in use, directory not writable, disk full.</summary>
    Environment = 3,

    /// <summary>Training failed; what was journaled is safe and the run can be resumed.</summary>
    Resumable = 4,

    /// <summary>Interrupted on request, drained and saved.</summary>
    Interrupted = 5,
}

/// <summary>A failure that one message explains: what is wrong, where, and how to fix it. Printed without a stack trace.</summary>
public sealed class UserException(ExitCode code, string message, Exception? cause = null) : Exception(message, cause)
{
    public ExitCode Code { get; } = code;
}
