using System.Globalization;

namespace Lateral.Configuration;

/// <summary>
/// Durations and byte sizes of the specification. A duration must name its unit (<c>30s</c>): a bare number would be
/// milliseconds by the specification, and nobody who writes <c>timeout = 30</c> means that. A bare size is bytes.
/// </summary>
public static class Units
{
    private static readonly Dictionary<string, double> Ticks = Table(
        ("ns nano nanos nanosecond nanoseconds", 1.0 / TimeSpan.NanosecondsPerTick),
        ("us micro micros microsecond microseconds", TimeSpan.TicksPerMicrosecond),
        ("ms milli millis millisecond milliseconds", TimeSpan.TicksPerMillisecond),
        ("s second seconds", TimeSpan.TicksPerSecond),
        ("m minute minutes", TimeSpan.TicksPerMinute),
        ("h hour hours", TimeSpan.TicksPerHour),
        ("d day days", TimeSpan.TicksPerDay));

    /// <summary>Powers of ten end in "B" (kB, MB), single letters and "iB" are powers of two, as the specification says.</summary>
    private static readonly Dictionary<string, double> Bytes = Table(
        [("B b byte bytes", 1), .. "kilo mega giga tera peta exa zetta yotta".Split(' ').SelectMany(SizeUnits)]);

    public static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = default;
        if (!TrySplit(text, out var number, out var unit) || !Ticks.TryGetValue(unit, out var ticks)) return false;
        var total = Math.Round(number * ticks);
        if (!(Math.Abs(total) < 9.2e18)) return false;
        duration = TimeSpan.FromTicks((long)total);
        return true;
    }

    public static bool TrySize(string text, out long bytes)
    {
        bytes = 0;
        if (!TrySplit(text, out var number, out var unit) || !Bytes.TryGetValue(unit.Length == 0 ? "B" : unit, out var factor)) return false;
        var total = Math.Round(number * factor);
        if (!(Math.Abs(total) < 9.2e18)) return false;
        bytes = (long)total;
        return true;
    }

    /// <summary>
    /// Number then unit, with optional white space between. The unit starts at the last letters, so 1e3s is 1000 seconds.
    /// </summary>
    private static bool TrySplit(string text, out double number, out string unit)
    {
        text = text.Trim();
        var at = text.Length;
        while (at > 0 && char.IsLetter(text[at - 1])) at--;
        unit = text[at..];
        return double.TryParse(text.AsSpan(0, at).Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
    }

    private static IEnumerable<(string Names, double Factor)> SizeUnits(string name, int power)
    {
        var letter = char.ToUpperInvariant(name[0]);
        var binary = name[..2] + "bi";
        // The specification spells the thousand kB with a small k, and takes K and k alike for 1024.
        yield return ($"{(power == 0 ? 'k' : letter)}B {name}byte {name}bytes", Math.Pow(1000, power + 1));
        yield return ($"{letter} {name[0]} {letter}i {letter}iB {binary}byte {binary}bytes", Math.Pow(1024, power + 1));
    }

    private static Dictionary<string, double> Table(params IEnumerable<(string Names, double Factor)> units) =>
        units.SelectMany(u => u.Names.Split(' ').Select(n => (n, u.Factor))).ToDictionary(u => u.n, u => u.Factor, StringComparer.Ordinal);
}
