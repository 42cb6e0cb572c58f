namespace Lateral.Rewards.Tests.Sandbox;

/// <summary>Tests that look at this process' children: one after the other, and nothing beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ChildProcesses
{
    public const string Name = "child processes";
}
