using System.Globalization;
using System.Runtime.CompilerServices;

namespace Lateral.Configuration;

/// <summary>Typed getters. Each names key, value and bound when it refuses, with an example of what to write.</summary>
public sealed partial class ConfigReader
{
    public int Int(string key, int min = int.MinValue, int max = int.MaxValue) => (int)Whole(key, min, max, int.MinValue, int.MaxValue);

    public long Long(string key, long min = long.MinValue, long max = long.MaxValue) => Whole(key, min, max, long.MinValue, long.MaxValue);

    /// <summary>A finite number; <c>20%</c> is 0.2. <paramref name="min"/> and <paramref name="max"/> are inclusive.</summary>
    public double Double(string key, double min = double.NegativeInfinity, double max = double.PositiveInfinity)
    {
        var bounds = Bounds(Number(min), Number(max), double.IsNegativeInfinity(min), double.IsPositiveInfinity(max));
        return Read(key, $"a number{bounds}", double.IsFinite(min) ? Number(min) : double.IsFinite(max) ? Number(max) : "1e-6", text =>
        {
            var percent = text.EndsWith('%');
            if (!double.TryParse(percent ? text[..^1] : text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)) return null;
            if (percent) value /= 100;
            return double.IsFinite(value) && value >= min && value <= max ? value : null;
        }, Clamp(0, min, max));
    }

    /// <summary>true/false, on/off, yes/no.</summary>
    public bool Bool(string key) => Read<bool>(key, "on or off", "on", text => text switch
    {
        "true" or "on" or "yes" => true,
        "false" or "off" or "no" => false,
        _ => null,
    }, false);

    /// <summary>Text; numbers and booleans are taken as written.</summary>
    public string String(string key, bool allowEmpty = true) =>
        Scalar(key, "text", "\"text\"") is not { } scalar ? "" : allowEmpty || scalar.Text.Length > 0 ? scalar.Text : Refuse(key, scalar, "text that is not empty", "\"text\"", "");

    /// <summary>Text that may be absent or null.</summary>
    public string? OptionalString(string key) => Has(key) ? String(key) : null;

    /// <summary>A duration with its unit, such as <c>30s</c> or <c>500 ms</c>; not negative unless <paramref name="min"/> says so.</summary>
    public TimeSpan Duration(string key, TimeSpan? min = null, TimeSpan? max = null)
    {
        var (low, high) = (min ?? TimeSpan.Zero, max ?? TimeSpan.MaxValue);
        var bounds = Bounds(Print(low), Print(high), low == TimeSpan.Zero, high == TimeSpan.MaxValue);
        return Read<TimeSpan>(key, $"a duration with its unit (ms, s, m, h, d){bounds}", Example(low, high), text =>
            Units.TryDuration(text, out var value) && value >= low && value <= high ? value : null, low, BareNumberHint);
    }

    /// <summary>A size in bytes, such as <c>64 MiB</c>; a bare number is bytes.</summary>
    public long Size(string key, long min = 0, long max = long.MaxValue)
    {
        var bounds = Bounds($"{min} B", $"{max} B", min == 0, max == long.MaxValue);
        return Read<long>(key, $"a size in bytes or with its unit (B, KiB, MiB, GiB, kB, MB, GB){bounds}", "64 MiB", text =>
            Units.TrySize(text, out var value) && value >= min && value <= max ? value : null, min);
    }

    /// <summary>A member of an enum in kebab-case: <c>LowConfidence</c> is written <c>low-confidence</c>.</summary>
    public T Enum<T>(string key)
        where T : struct, Enum
    {
        var names = System.Enum.GetNames<T>().ToDictionary(Kebab, n => System.Enum.Parse<T>(n), StringComparer.Ordinal);
        return Read<T>(key, $"one of {string.Join(", ", names.Keys)}", names.Keys.First(), text => names.TryGetValue(text, out var value) ? value : null, default,
            text => DidYouMean(text, names.Keys));
    }

    /// <summary>One of a set of words that plugins may extend, such as the names of registered algorithms.</summary>
    public string OneOf(string key, params IReadOnlyCollection<string> words)
    {
        var (expected, example) = ($"one of {string.Join(", ", words)}", words.First());
        if (Scalar(key, expected, example) is not { } scalar) return example;
        if (words.Contains(scalar.Text, StringComparer.Ordinal)) return scalar.Text;
        return Refuse(key, scalar, expected, example, example, DidYouMean(scalar.Text, words));
    }

    /// <summary>A map of scalars, such as <c>labels { team = rl }</c>. Its keys are free.</summary>
    public IReadOnlyDictionary<string, string> StringMap(string key)
    {
        var section = Section(key);
        return section.Value.Fields.Keys.ToDictionary(k => k, k => section.TextOf(k), StringComparer.Ordinal);
    }

    /// <summary>A list of scalars as text; a lone scalar is refused, because <c>a, b</c> without brackets is one text.</summary>
    public IReadOnlyList<string> StringList(string key)
    {
        if (Present(key, "a list", "[a, b]") is not { } value) return [];
        if ((value as ConfigArray ?? (value as ConfigObject)?.AsArray()) is not { } list) return Refuse(key, value, "a list", "[a, b]", Array.Empty<string>());
        return list.Items.FirstOrDefault(i => i is not ConfigScalar) is { } odd
            ? Refuse(key, odd, "a list of texts", "[a, b]", Array.Empty<string>())
            : [.. list.Items.Select(i => ((ConfigScalar)i).Text)];
    }

    private string TextOf(string name)
    {
        _known.Add(name);
        return Value.Fields[name] is ConfigScalar scalar ? scalar.Text : Refuse(ConfigPath.RenderKey(name), Value.Fields[name], "text", "\"text\"", "");
    }

    private long Whole(string key, long min, long max, long least, long most)
    {
        var bounds = Bounds(Number(min), Number(max), min == least, max == most);
        var example = Clamp(1, min, max);
        return Read<long>(key, $"a whole number{bounds}", Number(example), text =>
            decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && decimal.IsInteger(value) && value >= min && value <= max ? (long)value : null, Clamp(0, min, max));
    }

    private T Read<T>(string key, string expected, string example, Func<string, T?> parse, T fallback, Func<string, string?>? hint = null)
        where T : struct =>
        Scalar(key, expected, example) is not { } scalar ? fallback : parse(scalar.Text.Trim()) ?? Refuse(key, scalar, expected, example, fallback, hint?.Invoke(scalar.Text));

    private ConfigScalar? Scalar(string key, string expected, string example) => Present(key, expected, example) switch
    {
        null or ConfigScalar { IsPlaceholder: true } => null,
        ConfigScalar { Kind: not ScalarKind.Null } scalar => scalar,
        { } other => Refuse<ConfigScalar?>(key, other, expected, example, null),
    };

    private ConfigValue? Present(string key, string expected, string example)
    {
        var (reader, name) = Locate(key);
        reader._known.Add(name);
        if (reader.Value.Fields.TryGetValue(name, out var value)) return value;
        if (!reader._silent && !_incomplete) _errors.Add(new ConfigError(reader.Origin, $"{FullPath(key)} is missing - it must be {expected} - write {name} = {DefaultOf(key) ?? example}"));
        return null;
    }

    private T Refuse<T>(string key, ConfigValue value, string expected, string example, T fallback, string? hint = null)
    {
        if (!_silent && value is not ConfigScalar { IsPlaceholder: true }) _errors.Add(new ConfigError(value.Origin, $"{FullPath(key)} must be {expected}, got {Describe(value)} - {hint ?? $"write {key[(key.LastIndexOf('.') + 1)..]} = {DefaultOf(key) ?? example}"}"));
        return fallback;
    }

    private string? DefaultOf(string key) =>
        _defaults.Select(section => section.Fields.GetValueOrDefault(key) ?? section.Find(key.Split('.'))).FirstOrDefault(value => value is not null) is ConfigScalar { Kind: not ScalarKind.Null } scalar
            ? HoconWriter.Scalar(scalar)
            : null;
}
