namespace Lateral.Chaos.Verdicts;

/// <summary>One line of the verdict.</summary>
/// <param name="Target">as it is told; empty = only reported</param>
/// <param name="Ok">whether it is met</param>
/// <param name="Proof">a correctness target, whose miss fails the soak; timing depends on the machine, so its miss is only told</param>
internal sealed record Check(string Name, string Value, string Target, bool Ok, bool Proof);
