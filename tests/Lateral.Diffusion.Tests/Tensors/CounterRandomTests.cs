using Lateral.Diffusion.Tensors;

namespace Lateral.Tests.Diffusion;

public class CounterRandomTests
{
    [Fact]
    public void Bits_must_equal_SplitMix64()
    {
        // The published first outputs for seed 1234567.
        ulong[] expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
        var random = CounterRandom.FromSeed(1234567);
        Assert.Equal(expected, Enumerable.Range(0, 5).Select(i => random.Bits((ulong)i)));
    }

    [Fact]
    public void Draws_must_have_the_moments_of_their_distributions()
    {
        var random = CounterRandom.FromSeed(7).With("moments");
        const int n = 200_000;
        var uniforms = Enumerable.Range(0, n).Select(i => random.Uniform((ulong)i)).ToList();
        var normals = Enumerable.Range(0, n).Select(i => random.Normal((ulong)i)).ToList();
        // Four standard errors of each moment.
        Assert.InRange(uniforms.Average(), 0.5 - (4 * 0.2887 / Math.Sqrt(n)), 0.5 + (4 * 0.2887 / Math.Sqrt(n)));
        Assert.All(uniforms, u => Assert.InRange(u, 0, 1 - 1e-17));
        Assert.InRange(normals.Average(), -4 / Math.Sqrt(n), 4 / Math.Sqrt(n));
        Assert.InRange(normals.Average(x => x * x), 1 - (4 * Math.Sqrt(2.0 / n)), 1 + (4 * Math.Sqrt(2.0 / n)));
    }

    [Fact]
    public void Coordinates_must_give_unrelated_streams()
    {
        var root = CounterRandom.FromSeed(1);
        var first = Enumerable.Range(0, 300).SelectMany(i => new[] { root.With(i).Bits(0), root.With((long)i).With(0L).Bits(0), root.With(0L).With(i).Bits(0), CounterRandom.FromSeed((ulong)i).With("a").Bits(0) }).ToList();
        // With(0).With(0) appears twice by construction; nothing else may coincide.
        Assert.Equal(first.Count - 1, first.Distinct().Count());

        const int n = 20_000;
        var correlation = Enumerable.Range(0, n).Average(i => (root.With(i).Uniform(0) - 0.5) * (root.With(i + 1).Uniform(0) - 0.5)) * 12;
        Assert.InRange(correlation, -4 / Math.Sqrt(n), 4 / Math.Sqrt(n));
    }
}
