using System.Globalization;

namespace Lateral.Benchmarks.Measuring;

/// <summary>Median and quartiles of repetitions.</summary>
internal readonly record struct Spread(double Median, double Low, double High, int Count)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return new(At(.5), At(.25), At(.75), sorted.Length);

        // Linear between the two nearest order statistics.
        double At(double quantile)
        {
            var position = quantile * (sorted.Length - 1);
            var below = (int)position;
            return below + 1 == sorted.Length ? sorted[below] : double.Lerp(sorted[below], sorted[below + 1], position - below);
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Median:0.000} ({Low:0.000}-{High:0.000}, n={Count})");
}
