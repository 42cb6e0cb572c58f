namespace Lateral.Tests.Diffusion;

/// <summary>Numbers that count as equal; for whole arrays in one assertion.</summary>
internal sealed class NearDouble(double tolerance) : IEqualityComparer<double>
{
    public bool Equals(double a, double b) => Math.Abs(a - b) <= tolerance;

    public int GetHashCode(double value) => 0;
}
