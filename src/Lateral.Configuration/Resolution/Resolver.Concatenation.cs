namespace Lateral.Configuration;

/// <summary>Joining values: strings with strings, lists with lists, objects with objects, and nothing else.</summary>
internal sealed partial class Resolver
{
    private ConfigValue? ResolveConcatenation(ConcatenationNode node)
    {
        var parts = new List<(ConfigValue Value, bool IsSpace)>();
        foreach (var part in node.Parts)
        {
            var value = ResolveNode(part);
            if (ReferenceEquals(value, Cyclic)) return value;
            if (value is not null) parts.Add((value, part is LiteralNode { IsSpace: true }));
        }

        if (parts.Exists(p => IsFailed(p.Value))) return ConfigScalar.Placeholder(node.Origin, Mistakes(parts.Select(p => p.Value)));
        var solid = parts.Where(p => !p.IsSpace).Select(p => p.Value).ToList();
        if (solid.Count == 0) return null;
        if (parts.Count == 1) return solid[0];
        if (solid.TrueForAll(v => v is ConfigScalar)) return JoinText(node.Origin, [.. parts.Select(p => (ConfigScalar)p.Value)]);
        if (solid.TrueForAll(v => v is ConfigObject)) return MergeObjects(solid.Cast<ConfigObject>());
        var lists = solid.ConvertAll(v => v as ConfigArray ?? (v as ConfigObject)?.AsArray());
        if (lists.TrueForAll(l => l is not null)) return JoinLists(node.Origin, lists!);

        var odd = solid.Find(v => v.GetType() != solid[0].GetType()) ?? solid[0];
        return Fail(node.Origin, $"{Describe(solid[0])} ({solid[0].Origin}) cannot be joined with {Describe(odd)} ({odd.Origin}) - only strings with strings, lists with lists and objects with objects - put a comma or a new line between them");
    }

    private ConfigValue JoinText(Origin origin, List<ConfigScalar> parts)
    {
        var length = parts.Sum(p => (long)p.Text.Length);
        if (!Spend(length, origin)) return Failed;
        return new ConfigScalar(origin, string.Concat(parts.Select(p => p.Kind == ScalarKind.Null ? "null" : p.Text)), parts.Exists(p => p.Quoted), ScalarKind.String);
    }

    private ConfigValue JoinLists(Origin origin, List<ConfigArray> lists) =>
        Spend(lists.Sum(l => (long)l.Items.Count), origin) ? Bounded(new ConfigArray(origin, [.. lists.SelectMany(l => l.Items)])) : Failed;

    /// <summary>
    /// <c>a += b</c> is <c>a = ${?a} [b]</c>: a list even where b is undefined. A run of += is one list: each item sees the
    /// entries below its own, only the last entry is remembered.
    /// </summary>
    private ConfigValue? Append(Field field, int index)
    {
        var first = index;
        while (first > 0 && field.Entries[first - 1] is { Node: AppendNode, IsKnown: false }) first--;
        var below = Fold(field, first - 1);
        var items = new List<ConfigValue>();
        for (var i = first; i <= index; i++)
        {
            field.Cut = i;
            var item = ResolveNode(((AppendNode)field.Entries[i].Node).Item);
            if (ReferenceEquals(item, Cyclic)) return item;
            if (item is not null) items.Add(item);
        }

        var origin = field.Entries[first].Node.Origin;
        if (below is null || ReferenceEquals(below, Cyclic)) return Bounded(new ConfigArray(origin, items));
        if (IsFailed(below)) return below;
        if ((below as ConfigArray ?? (below as ConfigObject)?.AsArray()) is { } list) return JoinLists(list.Origin, [list, new ConfigArray(list.Origin, items)]);
        return Fail(origin, $"+= adds to a list, but the value so far is {Describe(below)} ({below.Origin}) - make it a list [...], or use = to replace it");
    }

    /// <summary>From the lowest layer to the highest.</summary>
    private ConfigValue MergeObjects(IEnumerable<ConfigObject> layers)
    {
        ConfigValue? merged = null;
        foreach (var layer in layers) merged = merged is ConfigObject lower ? MergeObjects(lower, layer) : merged ?? layer;
        return merged!;
    }

    private ConfigValue MergeObjects(ConfigObject lower, ConfigObject upper)
    {
        if (!Spend(4L * (lower.Fields.Count + upper.Fields.Count), upper.Origin)) return Failed;
        var fields = new OrderedDictionary<string, ConfigValue>(lower.Fields, StringComparer.Ordinal);
        var keyOrigins = new Dictionary<string, Origin>(lower.KeyOrigins, StringComparer.Ordinal);
        foreach (var (key, value) in upper.Fields)
        {
            fields[key] = value is ConfigObject over && fields.TryGetValue(key, out var below) ? Over(below, over) : value;
            keyOrigins[key] = upper.KeyOrigin(key);
        }

        return Bounded(new ConfigObject(upper.Origin, fields) { KeyOrigins = keyOrigins, Mistakes = Mistakes(lower, upper) });
    }

    private ConfigValue Over(ConfigValue below, ConfigObject over) => below switch
    {
        ConfigObject under => MergeObjects(under, over),
        _ when IsFailed(below) => over with { Mistakes = Mistakes(below, over) },
        _ => over,
    };
}
