using System.Runtime.CompilerServices;

namespace Lateral.Configuration;

/// <summary>
/// Replaces substitutions by values, after all layers are merged. A substitution sees the final value of its path, found lazily
/// (only the entries on the path are resolved), except where that would be its own value: then it looks back at the entries
/// below itself, and if there are none the reference is a cycle.
/// <para>
/// A value is remembered once nothing in it depends on an entry that is still being resolved (<see cref="_low"/> tells: the
/// shallowest frame whose entry was hidden). Work, size and depth are bounded, so every input ends.
/// </para>
/// </summary>
internal sealed partial class Resolver(ObjectNode root, HoconOptions options, Diagnostics diagnostics)
{
    private const int MaxFrames = 400;
    private const long MaxWork = 16_000_000;
    private const long MaxWeight = 16_000_000;
    private const string TooMuch = "substitutions expand without end - values repeat or contain one another - look for a value that contains itself";

    /// <summary>
    /// What resolving a value again costs, in units of one copied character or item. Only values inside an unfinished cycle are
    /// resolved more than once, and tangled cycles do it exponentially often.
    /// </summary>
    private const long AgainWork = 100;

    /// <summary>Results that are not values: a reported mistake, and a reference whose answer is still being computed further up.</summary>
    private static readonly ConfigScalar Failed = ConfigScalar.Placeholder(new Origin("", 0, 0));
    private static readonly ConfigScalar Cyclic = ConfigScalar.Placeholder(new Origin("", 0, 0));

    private static bool IsFailed(ConfigValue? value) => value is ConfigScalar { IsPlaceholder: true } && !ReferenceEquals(value, Cyclic);

    private int _depth;
    private int _frame;
    private int _low = int.MaxValue;
    private long _work;

    /// <summary>A bound was hit and reported: everything still unresolved fails at once and in silence.</summary>
    private bool _exhausted;

    /// <summary>The resolved root, or null after an error that spoils the whole tree.</summary>
    public ConfigObject? Resolve()
    {
        var value = ResolveObject(root);
        Report(value, new HashSet<ConfigValue>(ReferenceEqualityComparer.Instance));
        if (value is not ConfigObject && !diagnostics.Any) diagnostics.Report(root.Origin, "substitutions refer to each other in a loop - remove one of them");
        return value as ConfigObject;
    }

    private static ConfigScalar Fail(Origin origin, string message) => ConfigScalar.Placeholder(origin, new ConfigError(origin, message));

    /// <summary>The mistakes of several values, each once and no more than are ever told: values that repeat one another would double them at every step.</summary>
    private static IReadOnlyList<ConfigError> Mistakes(params IEnumerable<ConfigValue> values)
    {
        var all = values.Where(v => v.Mistakes.Count > 0).SelectMany(v => v.Mistakes).Distinct().Take(Diagnostics.Limit).ToList();
        return all.Count == 0 ? [] : all;
    }

    /// <summary>Tells the mistakes that nothing hides, each once.</summary>
    private void Report(ConfigValue value, HashSet<ConfigValue> told)
    {
        if (!told.Add(value)) return;
        foreach (var mistake in value.Mistakes) diagnostics.Report(mistake.Origin, mistake.Message);
        var below = value switch { ConfigObject o => o.Fields.Values, ConfigArray a => a.Items, _ => Enumerable.Empty<ConfigValue>() };
        foreach (var child in below) Report(child, told);
    }

    private bool Enter(Origin origin, bool again)
    {
        if (!Spend(again ? AgainWork : 1, origin)) return false;
        _exhausted = _depth >= MaxFrames || !RuntimeHelpers.TryEnsureSufficientExecutionStack();
        if (_exhausted) diagnostics.Report(origin, "substitutions lead through too many others to resolve - shorten the chain, or look for a loop");
        else _depth++;
        return !_exhausted;
    }

    private bool Spend(long work, Origin origin)
    {
        if (_exhausted) return false;
        _work += work;
        _exhausted = _work > MaxWork;
        if (_exhausted) diagnostics.Report(origin, TooMuch);
        return !_exhausted;
    }

    private ConfigValue Bounded(ConfigValue value)
    {
        if (value.Height > Node.MaxDepth) return Fail(value.Origin, $"nested too deeply after substitution - {Node.MaxDepth} levels are allowed - look for a value that contains itself");
        return value.Weight > MaxWeight ? Fail(value.Origin, TooMuch) : value;
    }

    private ConfigValue ResolveObject(ObjectNode node)
    {
        if (node.Resolved is not null) return node.Resolved;
        if (!Enter(node.Origin, node.IsVisited)) return Failed;
        node.IsVisited = true;
        var outerLow = _low;
        _low = int.MaxValue;
        var value = ResolveFields(node);
        if (_low == int.MaxValue) node.Resolved = value;
        _low = Math.Min(_low, outerLow);
        _depth--;
        return value;
    }

    private ConfigValue ResolveFields(ObjectNode node)
    {
        var fields = new OrderedDictionary<string, ConfigValue>(StringComparer.Ordinal);
        var keyOrigins = new Dictionary<string, Origin>(StringComparer.Ordinal);
        foreach (var (key, field) in node.Fields)
        {
            if (!Spend(field.Entries.Count, node.Origin)) return Failed;
            var value = Visible(field);
            if (value is null) continue;
            if (ReferenceEquals(value, Cyclic)) return Cyclic;
            fields.Add(key, value);
            keyOrigins.Add(key, field.Entries.FindLast(e => !(e.IsKnown && e.Known is null))!.KeyOrigin);
        }

        return Bounded(new ConfigObject(node.Origin, fields) { KeyOrigins = keyOrigins });
    }

    /// <summary>A field's value as seen from here: entries that are being resolved, and those above them, are hidden.</summary>
    private ConfigValue? Visible(Field field)
    {
        var top = Top(field, out var hidden);
        return Fold(field, top) ?? (hidden ? Cyclic : null);
    }

    private int Top(Field field, out bool hidden)
    {
        hidden = field.Cut < field.Entries.Count;
        if (!hidden) return field.Entries.Count - 1;
        _low = Math.Min(_low, field.CutDepth);
        return field.Cut - 1;
    }

    /// <summary>The value of entries 0..top: the top one, merged with those below as long as all are objects. Null when undefined.</summary>
    private ConfigValue? Fold(Field field, int top)
    {
        if (top > 0 && !Spend(top, field.Entries[top].Node.Origin)) return Failed;
        var first = top;
        while (first > 0 && field.Entries[first] is { LooksBack: true, IsKnown: false } or { Node: ObjectNode }) first--;
        for (var i = Math.Max(first, 0); i < top; i++)
            if (field.Entries[i].LooksBack) ResolveEntry(field, i);

        var layers = new Layers();
        for (var i = top; i >= 0 && !layers.IsComplete; i--)
        {
            var value = ResolveEntry(field, i);
            layers.Under(value);
            // ${a} inside a already holds everything below it: merging that again would make long chains cubic.
            if (field.Entries[i].LooksBack && value is ConfigObject) break;
        }

        return layers.Merge(this);
    }

    private ConfigValue? ResolveEntry(Field field, int index)
    {
        var entry = field.Entries[index];
        if (entry.IsKnown) return entry.Known;
        if (entry.Node is LiteralNode literal) return literal.Value;
        if (entry.Node is ObjectNode obj) return ResolveObject(obj);
        if (!Enter(entry.Node.Origin, entry.IsVisited)) return Failed;
        entry.IsVisited = true;

        var outer = (field.Cut, field.CutDepth, _low, _frame);
        // A list cannot be built from an earlier value of itself: only substitutions and concatenations look back.
        var cut = entry.Node is ArrayNode ? 0 : index;
        (field.Cut, field.CutDepth, _low, _frame) = (cut, _depth, int.MaxValue, _depth);
        var value = entry.Node is AppendNode ? Append(field, index) : ResolveNode(entry.Node);
        if (_low >= _depth)
        {
            (entry.IsKnown, entry.Known) = (true, value);
            _low = int.MaxValue;
        }

        (field.Cut, field.CutDepth, _, _frame) = outer;
        _low = Math.Min(_low, outer._low);
        _depth--;
        return value;
    }

    private ConfigValue? ResolveNode(Node node) => node switch
    {
        LiteralNode literal => literal.Value,
        ObjectNode obj => ResolveObject(obj),
        ArrayNode array => ResolveArray(array),
        SubstitutionNode substitution => ResolveSubstitution(substitution),
        ConcatenationNode concatenation => ResolveConcatenation(concatenation),
        _ => throw new InvalidOperationException($"a {node.GetType().Name} cannot stand here"),
    };

    private ConfigValue ResolveArray(ArrayNode node)
    {
        if (!Enter(node.Origin, again: false)) return Failed;
        var items = new List<ConfigValue>(node.Items.Count);
        var cyclic = false;
        foreach (var item in node.Items)
        {
            var value = ResolveNode(item);
            cyclic |= ReferenceEquals(value, Cyclic);
            if (value is not null) items.Add(value);
        }

        _depth--;
        return cyclic ? Cyclic : Spend(items.Count, node.Origin) ? Bounded(new ConfigArray(node.Origin, items)) : Failed;
    }

    /// <summary>What lies on top of what at one key: objects merge, anything else hides what is below, undefined and cyclic entries are looked through.</summary>
    private struct Layers
    {
        private List<ConfigObject>? _objects;
        private ConfigValue? _other;
        private ConfigValue? _failedBelow;
        private bool _cyclic;

        public bool IsComplete { get; private set; }

        public void Under(ConfigValue? value)
        {
            if (value is null) return;
            if (ReferenceEquals(value, Cyclic)) _cyclic = true;
            else if (value is ConfigObject o) (_objects ??= []).Add(o);
            else Hide(value);
        }

        public void Hide(ConfigValue? value)
        {
            IsComplete = true;
            if (_objects is null) _other = value;
            else if (IsFailed(value)) _failedBelow = value;
        }

        public readonly ConfigValue? Merge(Resolver resolver)
        {
            if (_other is not null) return _other;
            if (_objects is null) return _cyclic ? Cyclic : null;
            var merged = _objects.Count == 1 ? _objects[0] : resolver.MergeObjects(Enumerable.Reverse(_objects));
            // Objects are no cover: what should have merged with them was wanted.
            return _failedBelow is null ? merged : merged with { Mistakes = Mistakes(_failedBelow, merged) };
        }
    }
}
