namespace Lateral.Rewards.Sandbox;

/// <summary>How a program ended. All but <see cref="Fault"/> are the program's own doing.</summary>
public abstract record SandboxResult
{
    private SandboxResult()
    {
    }

    /// <summary>It ended by itself, or by a signal of its own (<paramref name="Code"/> = 128 + signal). A code says nothing that a program could not say of itself.</summary>
    public sealed record Exited(int Code, byte[] Output, byte[] Errors) : SandboxResult;

    /// <summary>It ran longer than its wall clock.</summary>
    public sealed record Timeout : SandboxResult;

    /// <summary>Its processes needed more memory than they may have.</summary>
    public sealed record OutOfMemory : SandboxResult;

    /// <summary>It wrote more than it may.</summary>
    public sealed record OutputLimit : SandboxResult;

    /// <summary>The sandbox failed, or somebody outside ended it: it says nothing of the program.</summary>
    public sealed record Fault(string Cause) : SandboxResult;
}

/// <summary>A sandbox that cannot be had on this machine. The message says what is missing and how to get it.</summary>
public sealed class SandboxUnavailableException(string message, Exception? cause = null) : Exception(message, cause);
