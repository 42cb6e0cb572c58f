using System.Globalization;

namespace Lateral.Rewards.Verifiers;

/// <summary>A kind's keys as they stand in its pool; every key is known, and one that has no default may be left out.</summary>
public sealed class VerifierKeys(string kind, IReadOnlyDictionary<string, string> values)
{
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    /// <summary>A part of the full reward.</summary>
    public double Fraction(string key) => Number(key, 0, 1, "a part of the full reward");

    /// <param name="meaning">what the number is, for whoever wrote a wrong one</param>
    public double Number(string key, double least, double most, string meaning) =>
        double.TryParse(Text(key), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw Wrong(key, FormattableString.Invariant($"{least:0.######} to {most:0.######}, {meaning}"));

    public int Int(string key, int least, int most, string meaning) => (int)Long(key, least, most, meaning);

    public long Long(string key, long least, long most, string meaning) =>
        long.TryParse(Text(key), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw Wrong(key, FormattableString.Invariant($"a whole number, {least:N0} to {most:N0}, {meaning}"));

    public bool Switch(string key) => OneOf(key, "on", "off") == "on";

    public string OneOf(string key, params IReadOnlyList<string> words)
    {
        var text = Text(key);
        return words.Contains(text) ? text : throw Wrong(key, words.Count == 2 ? $"{words[0]} or {words[1]}" : $"one of {string.Join(", ", words)}");
    }

    public string Text(string key) => Optional(key) ?? throw new RewardSettingException(key, $"{key} is missing: reward kind {kind} needs it");

    /// <summary>Null where the key is null.</summary>
    public string? Optional(string key)
    {
        _read.Add(key);
        return values.GetValueOrDefault(key);
    }

    /// <param name="bound">what the value has to be</param>
    public RewardSettingException Wrong(string key, string bound) => new(key, $"{key} = {values[key]}: must be {bound}");

    /// <exception cref="RewardSettingException">a key that nobody read</exception>
    public void RefuseOthers()
    {
        if (values.Keys.FirstOrDefault(key => !_read.Contains(key)) is { } unknown) throw new RewardSettingException(unknown, $"{unknown} is no key of reward kind {kind}");
    }
}
