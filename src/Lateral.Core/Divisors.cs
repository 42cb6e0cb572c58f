namespace Lateral.Core;

/// <summary>Which numbers near one divide a total: what a message about divisibility suggests.</summary>
public static class Divisors
{
    /// <summary>Example: the nearest to 7 in 32 are 4 and 8. <c>Above</c> is null beyond the total.</summary>
    public static (int Below, int? Above) Near(int total, int value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(total, 1);
        var below = Math.Clamp(value, 1, total);
        while (total % below != 0) below--;
        var above = Math.Max(1, value);
        while (above <= total && total % above != 0) above++;
        return (below, above <= total ? above : null);
    }

    /// <summary>Example: <c>4 or 8</c>.</summary>
    public static string Advice(int total, int value) => Near(total, value) is (var below, { } above) && above != below ? $"{below} or {above}" : $"{Near(total, value).Below}";
}
