namespace Lateral.Configuration;

/// <summary>A value as parsed, before substitutions are resolved. Nodes live inside one load and are never shared between fields.</summary>
internal abstract class Node(Origin origin)
{
    /// <summary>Nesting allowed in files and in the resolved tree; far above any real config, far below the stack.</summary>
    public const int MaxDepth = 100;

    public Origin Origin { get; set; } = origin;
}

internal sealed class LiteralNode(ConfigScalar value) : Node(value.Origin)
{
    public ConfigScalar Value { get; } = value;

    /// <summary>White space between two parts of a concatenation: kept between strings, dropped between lists or objects.</summary>
    public bool IsSpace { get; init; }
}

internal sealed class ArrayNode(Origin origin, List<Node> items) : Node(origin)
{
    public List<Node> Items { get; } = items;
}

/// <summary><c>${path}</c>. <see cref="Prefix"/> is where the including file put the include, so that included files may name their own keys.</summary>
internal sealed class SubstitutionNode(Origin origin, SubstitutionPath path, IReadOnlyList<string> prefix) : Node(origin)
{
    public SubstitutionPath Path { get; } = path;

    public IReadOnlyList<string> Prefix { get; } = prefix;

    /// <summary>The other parts of its concatenation are objects, so it must be one too.</summary>
    public bool MustBeObject { get; set; }
}

internal sealed class ConcatenationNode(List<Node> parts) : Node(parts[0].Origin)
{
    public List<Node> Parts { get; } = parts;
}

/// <summary><c>key += item</c>.</summary>
internal sealed class AppendNode(Node item) : Node(item.Origin)
{
    public Node Item { get; } = item;
}

internal sealed class ObjectNode(Origin origin) : Node(origin)
{
    public OrderedDictionary<string, Field> Fields { get; } = new(StringComparer.Ordinal);

    /// <summary>The resolved object once nothing in it depends on a value still being resolved.</summary>
    public ConfigValue? Resolved { get; set; }

    public bool IsVisited { get; set; }

    public Field FieldAt(string key)
    {
        if (!Fields.TryGetValue(key, out var field)) Fields.Add(key, field = new Field());
        return field;
    }

    /// <summary>Lays <paramref name="upper"/> over this object; both must come from the same load.</summary>
    public void Absorb(ObjectNode upper)
    {
        foreach (var (key, field) in upper.Fields)
            foreach (var entry in field.Entries) FieldAt(key).Add(entry);
    }
}

/// <summary>
/// Everything assigned to one key, oldest first. Later entries win, objects merge, and a self-reference looks at the entries
/// below its own. Invariant: no two neighbouring entries are both object literals (they are merged when added).
/// </summary>
internal sealed class Field
{
    public List<Entry> Entries { get; } = [];

    /// <summary>Index of the lowest entry being resolved; lookups see only entries below it.</summary>
    public int Cut { get; set; } = int.MaxValue;

    /// <summary>Depth of the frame that set <see cref="Cut"/>.</summary>
    public int CutDepth { get; set; }

    public void Add(Entry entry)
    {
        if (entry.Node is ObjectNode upper && Entries.Count > 0 && Entries[^1].Node is ObjectNode lower)
        {
            lower.Absorb(upper);
            lower.Origin = upper.Origin;
            Entries[^1].KeyOrigin = entry.KeyOrigin;
        }
        else
        {
            Entries.Add(entry);
        }
    }
}

internal sealed class Entry(Node node, Origin keyOrigin)
{
    public Node Node { get; } = node;

    public Origin KeyOrigin { get; set; } = keyOrigin;

    /// <summary>The value names its own key, so it needs the entry below: such chains are resolved bottom-up, without recursion.</summary>
    public bool LooksBack { get; init; }

    public bool IsVisited { get; set; }

    public bool IsKnown { get; set; }

    public ConfigValue? Known { get; set; }
}
