using System.Globalization;

namespace Lateral.Rewards.Verifiers;

/// <summary>A kind's keys as they stand in its pool; every key is needed and no other is known.</summary>
internal sealed class VerifierKeys(string kind, IReadOnlyDictionary<string, string> values)
{
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    /// <summary>A part of the full reward.</summary>
    public double Fraction(string key)
    {
        _read.Add(key);
        if (!values.TryGetValue(key, out var text)) throw new RewardSettingException(key, $"{key} is missing: reward kind {kind} needs it");
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 1
            ? value
            : throw new RewardSettingException(key, $"{key} = {text}: must be 0 to 1, a part of the full reward");
    }

    public void RefuseOthers()
    {
        if (values.Keys.FirstOrDefault(key => !_read.Contains(key)) is { } unknown) throw new RewardSettingException(unknown, $"{unknown} is no key of reward kind {kind}");
    }
}
