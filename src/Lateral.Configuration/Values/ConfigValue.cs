using System.Globalization;

namespace Lateral.Configuration;

/// <summary>What JSON calls a scalar's type. <c>on</c>, <c>10s</c> and <c>4 MiB</c> are strings until a reader asks for more.</summary>
public enum ScalarKind
{
    String,
    Number,
    Boolean,
    Null,
}

/// <summary>A resolved value and the place it came from. Immutable; a value may be shared by several parents.</summary>
public abstract record ConfigValue(Origin Origin)
{
    /// <summary>Nodes plus characters below this value, counted once per occurrence: a small shared tree can be huge when printed.</summary>
    internal long Weight { get; private protected init; } = 1;

    /// <summary>Levels of nesting: 0 for a scalar, 1 for an object of scalars.</summary>
    internal int Height { get; private protected init; }

    private protected static (long Weight, int Height) Measure(IEnumerable<ConfigValue> children)
    {
        var (weight, height) = (1L, 0);
        foreach (var child in children) (weight, height) = (weight + child.Weight, Math.Max(height, child.Height));
        return (weight, height + 1);
    }

    /// <summary>
    /// Mistakes found while this value was made. They count only where the value survives in the tree: what a later
    /// value hides is never evaluated, so its mistakes are none.
    /// </summary>
    internal IReadOnlyList<ConfigError> Mistakes { get; init; } = [];

    /// <summary>True when both values print the same canonical JSON; origins and quoting are ignored.</summary>
    public abstract bool SameValueAs(ConfigValue other);
}

/// <summary>
/// Text as written, without its quotes. Example: <c>lr = 2e-6</c> is <c>("2e-6", Quoted: false, Number)</c>.
/// A number keeps its spelling, so that printing a config never changes it.
/// </summary>
public sealed record ConfigScalar : ConfigValue
{
    public ConfigScalar(Origin origin, string text, bool quoted, ScalarKind kind)
        : base(origin)
    {
        (Text, Quoted, Kind) = (text, quoted, kind);
        Weight = text.Length + 1;
    }

    public string Text { get; init; }

    public bool Quoted { get; init; }

    public ScalarKind Kind { get; init; }

    internal static ConfigScalar Unquoted(Origin origin, string text) => new(origin, text, false, Classify(text));

    internal static ConfigScalar Placeholder(Origin origin, params IReadOnlyList<ConfigError> mistakes) => new(origin, "", false, ScalarKind.Null) { IsPlaceholder = true, Mistakes = mistakes };

    /// <summary>Stands for a value that could not be made, so that readers stay silent about it: its mistake is told already, or one of <see cref="ConfigValue.Mistakes"/>.</summary>
    internal bool IsPlaceholder { get; private init; }

    public override bool SameValueAs(ConfigValue other) => other is ConfigScalar s && s.Kind == Kind && s.Text == Text;

    private static ScalarKind Classify(string text) => text switch
    {
        "true" or "false" => ScalarKind.Boolean,
        "null" => ScalarKind.Null,
        _ => JsonNumber.IsValid(text) ? ScalarKind.Number : ScalarKind.String,
    };
}

/// <summary>A list; <c>SameValueAs</c> compares item by item.</summary>
public sealed record ConfigArray : ConfigValue
{
    public ConfigArray(Origin origin, IReadOnlyList<ConfigValue> items)
        : base(origin)
    {
        Items = items;
        (Weight, Height) = Measure(items);
    }

    public IReadOnlyList<ConfigValue> Items { get; init; }

    public override bool SameValueAs(ConfigValue other) =>
        other is ConfigArray a && a.Items.Count == Items.Count && Items.Zip(a.Items).All(p => p.First.SameValueAs(p.Second));
}

/// <summary>A map in the order in which keys first appeared; later layers change values, not places.</summary>
public sealed record ConfigObject : ConfigValue
{
    public ConfigObject(Origin origin, IReadOnlyDictionary<string, ConfigValue> fields)
        : base(origin)
    {
        Fields = fields;
        (Weight, Height) = Measure(fields.Values);
        Weight += fields.Keys.Sum(k => (long)k.Length);
    }

    public IReadOnlyDictionary<string, ConfigValue> Fields { get; init; }

    internal IReadOnlyDictionary<string, Origin> KeyOrigins { get; init; } = new Dictionary<string, Origin>(StringComparer.Ordinal);

    /// <summary>Where the key itself was last written: the place to point at for an unknown key.</summary>
    public Origin KeyOrigin(string key) => KeyOrigins.TryGetValue(key, out var origin) ? origin : Fields[key].Origin;

    /// <summary>The value at a path of plain keys, or null. Example: <c>root.Find("rollout", "groups-per-step")</c>.</summary>
    public ConfigValue? Find(params ReadOnlySpan<string> path)
    {
        ConfigValue? at = this;
        foreach (var key in path) at = at is ConfigObject o && o.Fields.TryGetValue(key, out var next) ? next : null;
        return at;
    }

    /// <summary>
    /// The list that <c>{ "0" : a, "1" : b }</c> stands for, or null when no key is a whole number: the specification lets a
    /// numerically indexed object serve where a list is expected. Missing indices are closed up, other keys are left out.
    /// </summary>
    public ConfigArray? AsArray()
    {
        var items = new SortedList<int, ConfigValue>();
        foreach (var (key, value) in Fields)
            if (int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index)) items[index] = value;
        return items.Count == 0 ? null : new ConfigArray(Origin, [.. items.Values]);
    }

    public override bool SameValueAs(ConfigValue other) =>
        other is ConfigObject o && o.Fields.Count == Fields.Count &&
        Fields.All(f => o.Fields.TryGetValue(f.Key, out var v) && f.Value.SameValueAs(v));
}
