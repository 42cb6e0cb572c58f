namespace Lateral.Configuration;

/// <summary>Keys that nobody read. A misspelt key changes nothing silently: it is an error that names the likely intent.</summary>
public sealed partial class ConfigReader
{
    /// <summary>Reports every unread key below this section: the nearest sibling is suggested first, then any known key.</summary>
    public void CheckUnknown()
    {
        var known = KnownPaths().ToList();
        CheckUnknown(known);
    }

    private void CheckUnknown(List<(string Path, string Leaf)> all)
    {
        foreach (var (name, value) in Value.Fields)
        {
            if (_open.Contains(name) || name.StartsWith("x-", StringComparison.Ordinal)) continue;
            if (_sections.TryGetValue(name, out var section) && value is ConfigObject) section.CheckUnknown(all);
            else if (section is null && !_known.Contains(name)) _errors.Add(new ConfigError(Value.KeyOrigin(name), Unknown(name, all)));
        }
    }

    private string Unknown(string name, List<(string Path, string Leaf)> all)
    {
        // After many errors nobody reads the suggestions, and comparing with every key would take its time.
        if (_errors.Count > 200) return $"unknown key {ConfigPath.Join(Path, name)}";
        var sibling = Suggestions.Closest(name, _known.Concat(_sections.Keys).Concat(_open));
        var near = sibling is not null ? ConfigPath.Join(Path, sibling)
            : Suggestions.Closest(name, all.Select(k => k.Leaf)) is { } leaf ? all.First(k => k.Leaf == leaf).Path : null;
        var advice = near is not null ? $"did you mean {near}?" : "nothing reads it - remove it, or name it x-... to keep a note";
        return $"unknown key {ConfigPath.Join(Path, name)} - {advice}";
    }

    private IEnumerable<(string Path, string Leaf)> KnownPaths() =>
        _known.Concat(_open).Concat(_sections.Keys).Distinct(StringComparer.Ordinal).Select(k => (ConfigPath.Join(Path, k), k))
            .Concat(_sections.Values.SelectMany(s => s.KnownPaths()));
}
