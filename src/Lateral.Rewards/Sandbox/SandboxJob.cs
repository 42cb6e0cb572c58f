namespace Lateral.Rewards.Sandbox;

/// <summary>One program to run.</summary>
/// <param name="Program">Python, our own or a model's; it may call <c>take(n)</c> for n bytes of the input</param>
/// <param name="Input">its standard input behind the program itself</param>
public sealed record SandboxJob(string Program, ReadOnlyMemory<byte> Input = default);
