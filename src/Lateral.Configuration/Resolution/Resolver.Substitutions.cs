namespace Lateral.Configuration;

/// <summary>Looking paths up, and what to say when they lead nowhere.</summary>
internal sealed partial class Resolver
{
    private ConfigValue? ResolveSubstitution(SubstitutionNode node)
    {
        var outerLow = _low;
        _low = int.MaxValue;
        var value = node.Prefix.Count == 0 ? null : Lookup(root, [.. node.Prefix, .. node.Path.Keys], 0);
        if (value is null || ReferenceEquals(value, Cyclic)) value = Lookup(root, node.Path.Keys, 0) ?? value;
        var low = _low;
        _low = Math.Min(low, outerLow);

        if (value is null || ReferenceEquals(value, Cyclic)) value = FromEnvironment(node) ?? value;
        if (value is null)
        {
            return node.Path.Optional ? null : Fail(node.Origin, Undefined(node.Path));
        }

        if (ReferenceEquals(value, Cyclic))
        {
            if (node.Path.Optional) return null;
            // Another frame, further up, closes the loop: it looks back first and reports only if that fails too.
            if (low < _frame) return Cyclic;
            return Fail(node.Origin, $"{node.Path} refers back to itself - no earlier value breaks the loop - set one before this line, or refer to something else");
        }

        if (node.MustBeObject && value is not ConfigObject && !IsFailed(value))
        {
            return Fail(node.Origin, $"{node.Path} is {Describe(value)} ({value.Origin}) but is joined with an object - only objects merge with objects - put a comma or a new line between them, or check the name");
        }

        return value;
    }

    private ConfigValue? Lookup(ObjectNode obj, IReadOnlyList<string> path, int at)
    {
        if (!obj.Fields.TryGetValue(path[at], out var field)) return null;
        if (at == path.Count - 1) return Visible(field);
        var top = Top(field, out var hidden);
        var layers = new Layers();
        for (var i = top; i >= 0 && !layers.IsComplete; i--)
        {
            if (field.Entries[i].Node is ObjectNode inner)
            {
                layers.Under(Lookup(inner, path, at + 1));
                continue;
            }

            var value = ResolveEntry(field, i);
            if (value is null) continue;
            if (value is ConfigScalar { IsPlaceholder: true }) layers.Under(value);
            else if (value is ConfigObject resolved) layers.Under(resolved.Find([.. path.Skip(at + 1)]));
            else layers.Hide(null);
        }

        return layers.Merge(this) ?? (hidden ? Cyclic : null);
    }

    /// <summary>Variables enter as strings. <c>${HOSTS[]}</c> collects HOSTS_0, HOSTS_1, ... up to the first that is not set.</summary>
    private ConfigValue? FromEnvironment(SubstitutionNode node)
    {
        var name = string.Join('.', node.Path.Keys);
        if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal)) return null;
        if (!node.Path.List) return Variable(name, node.Origin);
        var items = new List<ConfigValue>();
        while (items.Count < 10_000 && Variable($"{name}_{items.Count}", node.Origin) is { } item) items.Add(item);
        return items.Count == 0 ? null : new ConfigArray(items[0].Origin, items);
    }

    private ConfigScalar? Variable(string name, Origin at) =>
        options.Environment(name) is { } text ? new ConfigScalar(at with { Variable = name }, text, true, ScalarKind.String) : null;

    private int _undefined;

    private string Undefined(SubstitutionPath path)
    {
        // After many errors nobody reads the suggestions, and comparing with every path would take its time.
        var near = ++_undefined > 50 ? null : Suggestions.Closest(ConfigPath.Render(path.Keys), AllPaths());
        return $"{path with { Optional = false }} is not defined in the config or the environment - " +
            (near is null ? "" : $"did you mean ${{{near}}}? - ") + $"define it, or write {path with { Optional = true }} if it is optional";
    }

    private List<string>? _allPaths;

    private List<string> AllPaths()
    {
        const int enough = 5000;
        if (_allPaths is not null) return _allPaths;
        _allPaths = [];
        Walk(root, "");
        return _allPaths;

        void Walk(ObjectNode obj, string parent)
        {
            foreach (var (key, field) in obj.Fields)
            {
                if (_allPaths.Count >= enough) return;
                var path = ConfigPath.Join(parent, key);
                _allPaths.Add(path);
                foreach (var entry in field.Entries)
                    if (entry.Node is ObjectNode inner) Walk(inner, path);
            }
        }
    }

    private static string Describe(ConfigValue value) => value switch
    {
        ConfigObject => "an object",
        ConfigArray => "a list",
        ConfigScalar { Kind: ScalarKind.Null } => "null",
        ConfigScalar { Kind: ScalarKind.Number } s => $"the number {s.Text}",
        ConfigScalar { Kind: ScalarKind.Boolean } s => s.Text,
        ConfigScalar s => $"the text {JsonText.Quote(s.Text.Length > 60 ? s.Text[..60] + "..." : s.Text)}",
        _ => value.GetType().Name,
    };
}
