using System.Globalization;

namespace Lateral.Configuration;

/// <summary>One setting that two resolved trees disagree on. Example: <c>("algorithm.lr", 1e-4, 2e-4)</c>.</summary>
/// <param name="Path">as a user would write it</param>
/// <param name="Before">null = the key was added</param>
/// <param name="After">null = the key was removed</param>
public sealed record ConfigChange(string Path, ConfigValue? Before, ConfigValue? After)
{
    /// <summary><c>added</c>, <c>removed</c> or <c>changed</c>.</summary>
    public string Kind => Before is null ? "added" : After is null ? "removed" : "changed";
}

/// <summary>The leaves in which two resolved trees differ: what <c>config diff</c>, <c>compare</c> and a resume's changes go by.</summary>
public static class ConfigDiff
{
    /// <summary>
    /// Changed and removed leaves in the order of <paramref name="before"/>, added ones after their siblings. A list is one leaf.
    /// Numbers that are spelled differently and mean the same (<c>1e-4</c>, <c>0.0001</c>) do not differ.
    /// </summary>
    public static IReadOnlyList<ConfigChange> Between(ConfigObject before, ConfigObject after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var changes = new List<ConfigChange>();
        Compare(changes, "", before, after);
        return changes;
    }

    private static void Compare(List<ConfigChange> changes, string path, ConfigValue? before, ConfigValue? after)
    {
        var (old, changed) = (before as ConfigObject, after as ConfigObject);
        var sections = (old is not null || before is null) && (changed is not null || after is null);
        // A section that only one side has is told leaf by leaf; an empty one has no leaf and is told itself.
        if (sections && (old?.Fields.Count ?? 0) + (changed?.Fields.Count ?? 0) > 0)
            foreach (var key in Keys(old, changed)) Compare(changes, ConfigPath.Join(path, key), Field(old, key), Field(changed, key));
        else if (before is null || after is null || !Same(before, after))
            changes.Add(new ConfigChange(path, before, after));
    }

    private static IEnumerable<string> Keys(ConfigObject? before, ConfigObject? after) =>
        (before?.Fields.Keys ?? []).Union(after?.Fields.Keys ?? [], StringComparer.Ordinal);

    private static ConfigValue? Field(ConfigObject? section, string key) => section?.Fields.GetValueOrDefault(key);

    private static bool Same(ConfigValue before, ConfigValue after) =>
        before.SameValueAs(after) || (before is ConfigScalar { Kind: ScalarKind.Number } a && after is ConfigScalar { Kind: ScalarKind.Number } b && SameNumber(a.Text, b.Text));

    /// <summary>Decimals tell large whole numbers apart, doubles small fractions; both have to agree.</summary>
    private static bool SameNumber(string a, string b) =>
        double.Parse(a, CultureInfo.InvariantCulture).Equals(double.Parse(b, CultureInfo.InvariantCulture))
        && (!TryDecimal(a, out var first) || !TryDecimal(b, out var second) || first == second);

    private static bool TryDecimal(string text, out decimal value) => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
}
