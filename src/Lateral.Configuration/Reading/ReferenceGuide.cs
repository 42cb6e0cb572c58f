namespace Lateral.Configuration;

/// <summary>One key of the reference with what stands above it. Example: <c>("staleness.max-versions", 2, "eta: how many ...")</c>.</summary>
/// <param name="Value">the default; a section where the key is one</param>
/// <param name="Comment">the comment above the key as one text; empty where there is none</param>
/// <param name="Origin">where the key stands</param>
public sealed record ReferenceEntry(string Path, ConfigValue Value, string Comment, Origin Origin)
{
    public bool IsSection => Value is ConfigObject { Fields.Count: > 0 };

    /// <summary>The default as a user would write it.</summary>
    public string Default => Value switch
    {
        ConfigScalar scalar => HoconWriter.Scalar(scalar),
        ConfigObject { Fields.Count: 0 } => "{}",
        ConfigObject => "",
        _ => CanonicalJson.Write(Value),
    };
}

/// <summary>
/// What the reference says about each key: one text is default, documentation and what <c>config explain</c> prints. A comment
/// belongs to the key on the line below it.
/// </summary>
public sealed class ReferenceGuide
{
    private readonly OrderedDictionary<string, ReferenceEntry> _entries = new(StringComparer.Ordinal);
    private readonly Func<string, IEnumerable<string>> _alsoAt;

    /// <param name="texts">each text by itself, with the lines that its origins count; what an earlier one explains stays</param>
    /// <param name="alsoAt">where else a key that is not in the reference may be explained: a pool's weight in <c>reward.defaults</c></param>
    public ReferenceGuide(IEnumerable<(ConfigObject Tree, string Text)> texts, Func<string, IEnumerable<string>>? alsoAt = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        _alsoAt = alsoAt ?? (_ => []);
        foreach (var (tree, text) in texts) Add(tree, "", text.ReplaceLineEndings("\n").Split('\n'));
    }

    /// <summary>Sections and leaves in the order of the texts, a section before its keys.</summary>
    public IReadOnlyCollection<ReferenceEntry> Entries => _entries.Values;

    /// <summary>What explains a key: its own entry, or those of the places it takes its default from; empty for an unknown one.</summary>
    public IReadOnlyList<ReferenceEntry> Find(string path) =>
        _entries.TryGetValue(path, out var entry) ? [entry] : [.. _alsoAt(path).Select(place => _entries.GetValueOrDefault(place)).OfType<ReferenceEntry>()];

    /// <summary>The entries right below a section.</summary>
    public IEnumerable<ReferenceEntry> Below(string path) =>
        _entries.Values.Where(entry => entry.Path.StartsWith(path + ".", StringComparison.Ordinal) && !entry.Path[(path.Length + 1)..].Contains('.', StringComparison.Ordinal));

    /// <summary>Known keys that an unknown one may have meant: those with its last word, or the nearest by spelling.</summary>
    public IReadOnlyList<string> Nearest(string path)
    {
        var last = path[(path.LastIndexOf('.') + 1)..];
        var same = _entries.Keys.Where(key => LastWord(key) == last).ToList();
        if (same.Count > 0) return same;
        if (Suggestions.Closest(path, _entries.Keys) is { } near) return [near];
        return Suggestions.Closest(last, _entries.Keys.Select(LastWord)) is { } word ? [.. _entries.Keys.Where(key => LastWord(key) == word)] : [];
    }

    private static string LastWord(string path) => path[(path.LastIndexOf('.') + 1)..];

    private void Add(ConfigObject section, string path, string[] lines)
    {
        foreach (var (key, value) in section.Fields)
        {
            var (below, origin) = (ConfigPath.Join(path, key), section.KeyOrigin(key));
            _entries.TryAdd(below, new ReferenceEntry(below, value, CommentAbove(lines, origin.Line), origin));
            if (value is ConfigObject child) Add(child, below, lines);
        }
    }

    private static string CommentAbove(string[] lines, int line)
    {
        var first = line - 1;
        while (first > 0 && lines[first - 1].TrimStart().StartsWith('#')) first--;
        return string.Join(' ', lines[first..(line - 1)].Select(text => text.TrimStart().TrimStart('#').Trim()));
    }
}
