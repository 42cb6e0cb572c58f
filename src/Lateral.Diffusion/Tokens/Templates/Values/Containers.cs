namespace Lateral.Diffusion.Tokens.Templates;

internal enum SequenceKind
{
    List,
    Tuple,
    Range,

    // What a dictionary's keys(), values() and items() give: they can be walked and counted, and have no positions.
    Keys,
    Values,
    Items,
}

/// <summary>Elements in order, which never change.</summary>
internal sealed class Sequence(SequenceKind kind, IReadOnlyList<object> items)
{
    public SequenceKind Kind { get; } = kind;

    public IReadOnlyList<object> Items { get; } = items;

    public bool HasPositions => Kind is SequenceKind.List or SequenceKind.Tuple or SequenceKind.Range;

    /// <summary>Sequences and dictionaries inside one another, itself included: what walks a value is no deeper than that.</summary>
    public int Depth { get; } = 1 + items.Select(Of).DefaultIfEmpty().Max();

    public static int Of(object value) => value switch
    {
        Sequence sequence => sequence.Depth,
        Mapping mapping => mapping.Depth,
        _ => 0,
    };
}

/// <summary>A dictionary in the order in which its keys came; once it is made it never changes.</summary>
internal sealed class Mapping
{
    private readonly OrderedDictionary<object, object> _entries = new(KeyComparer.Instance);

    public int Count => _entries.Count;

    public int Depth { get; private set; } = 1;

    public IEnumerable<KeyValuePair<object, object>> Entries => _entries;

    public IReadOnlyList<object> Keys => _entries.Keys;

    public IReadOnlyList<object> Values => _entries.Values;

    public object? Get(object key) => IsKey(key) && _entries.TryGetValue(key, out var value) ? value : null;

    /// <summary>For those who make it: a later value of a key replaces an earlier one and keeps its place.</summary>
    public void Add(object key, object value)
    {
        _entries[key] = value;
        Depth = Math.Max(Depth, 1 + Sequence.Of(value));
    }

    /// <summary>Texts, numbers, booleans and none; tuples, which Python also takes, no template uses.</summary>
    public static bool IsKey(object key) => key is string or long or double or bool or None;

    /// <summary>True, 1 and 1.0 are one key.</summary>
    private sealed class KeyComparer : IEqualityComparer<object>
    {
        public static readonly KeyComparer Instance = new();

        public new bool Equals(object? a, object? b) => object.Equals(Normal(a), Normal(b));

        public int GetHashCode(object key) => Normal(key)!.GetHashCode();

        private static object? Normal(object? key) => key switch
        {
            bool flag => flag ? 1L : 0L,
            double number when Numbers.IsWhole(number) => (long)number,
            _ => key,
        };
    }
}
