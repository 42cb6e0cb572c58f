namespace Lateral.Rewards.Sandbox.Kernel;

/// <summary>A part of the sandbox that failed while it was used.</summary>
internal sealed class SandboxFaultException(string message, Exception? cause = null) : Exception(message, cause);
