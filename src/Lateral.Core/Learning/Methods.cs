using System.Collections.Immutable;

namespace Lateral.Core.Learning;

/// <summary>A number that a method takes. Its default and what it does stand in hocon/reference.conf.</summary>
/// <param name="Whole">an integer</param>
public sealed record Knob(string Name, double Least, double Most, bool Whole = false);

/// <summary>A method that the configuration chooses by name, such as a correction or a likelihood.</summary>
public interface IMethodRule
{
    string Name { get; }

    ImmutableArray<Knob> Knobs { get; }
}

/// <summary>A method as it was chosen, with the values of its knobs.</summary>
public sealed record MethodSettings(string Name, ImmutableSortedDictionary<string, double> Knobs)
{
    /// <exception cref="KeyNotFoundException">the method has no such knob</exception>
    public double this[string knob] => Knobs[knob];

    /// <example><c>MethodSettings.Of("behaviour-clip", ("clip-epsilon", .2), ("dual-clip", 3))</c></example>
    public static MethodSettings Of(string name, params ReadOnlySpan<(string Knob, double Value)> knobs)
    {
        var values = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        foreach (var (knob, value) in knobs) values[knob] = value;
        return new(name, values.ToImmutable());
    }

    public bool Equals(MethodSettings? other) => other is not null && Name == other.Name && Knobs.SequenceEqual(other.Knobs);

    public override int GetHashCode() => Knobs.Aggregate(Name.GetHashCode(StringComparison.Ordinal), (hash, knob) => HashCode.Combine(hash, knob.Key, knob.Value));
}
