using System.Globalization;
using System.Text;

namespace Lateral.Configuration;

/// <summary>How values and bounds are spelled in messages.</summary>
public sealed partial class ConfigReader
{
    internal static string Describe(ConfigValue value) => value switch
    {
        ConfigObject => "a section",
        ConfigArray => "a list",
        ConfigScalar { Kind: ScalarKind.Null } => "null",
        ConfigScalar { Kind: ScalarKind.Number or ScalarKind.Boolean } s => s.Text,
        ConfigScalar s => JsonText.Quote(s.Text.Length > 60 ? s.Text[..60] + "..." : s.Text),
        _ => value.GetType().Name,
    };

    private static string? BareNumberHint(string text) =>
        JsonNumber.IsValid(text) ? $"a bare number has no unit - write {text}s or {text}ms" : null;

    private static string? DidYouMean(string text, IEnumerable<string> words) => Suggestions.Closest(text, words) is { } near ? $"did you mean {near}?" : null;

    private static string Bounds(string min, string max, bool noMin, bool noMax) => (noMin, noMax) switch
    {
        (true, true) => "",
        (false, true) => $" >= {min}",
        (true, false) => $" <= {max}",
        _ => $" from {min} to {max}",
    };

    /// <summary>As people write it: 1e-12, not 1E-12.</summary>
    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture).Replace("E-0", "e-", StringComparison.Ordinal).Replace("E+", "e", StringComparison.Ordinal).Replace('E', 'e');

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static double Clamp(double value, double min, double max) => Math.Max(min, Math.Min(max, value));

    private static long Clamp(long value, long min, long max) => Math.Max(min, Math.Min(max, value));

    private static string Example(TimeSpan min, TimeSpan max)
    {
        var usual = TimeSpan.FromSeconds(30);
        return Print(usual < min ? min : usual > max ? max : usual);
    }

    private static string Print(TimeSpan time) => time switch
    {
        _ when time == TimeSpan.Zero => "0s",
        _ when time.Ticks % TimeSpan.TicksPerDay == 0 => $"{time.Ticks / TimeSpan.TicksPerDay}d",
        _ when time.Ticks % TimeSpan.TicksPerHour == 0 => $"{time.Ticks / TimeSpan.TicksPerHour}h",
        _ when time.Ticks % TimeSpan.TicksPerMinute == 0 => $"{time.Ticks / TimeSpan.TicksPerMinute}m",
        _ when time.Ticks % TimeSpan.TicksPerSecond == 0 => $"{time.Ticks / TimeSpan.TicksPerSecond}s",
        _ => $"{time.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)}ms",
    };

    private static string Kebab(string name)
    {
        var text = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsUpper(name[i]) && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])))) text.Append('-');
            text.Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }
}
