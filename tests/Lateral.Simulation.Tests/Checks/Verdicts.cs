namespace Lateral.Simulation.Tests.Checks;

/// <summary>Invariants found broken. They are collected and not thrown: inside an actor a throw would only be another fault.</summary>
internal sealed class Verdicts
{
    private readonly List<string> _broken = [];

    public IReadOnlyList<string> Broken => _broken;

    /// <param name="invariant">a name of reliability.md, for example <c>I2 Conservation</c></param>
    public void Require(bool holds, string invariant, string otherwise)
    {
        if (!holds) _broken.Add($"{invariant}: {otherwise}");
    }
}
