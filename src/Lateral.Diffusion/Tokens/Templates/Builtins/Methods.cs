using System.Collections.Frozen;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Methods of values. Python's others are refused by name, so that none is taken for a key that is not there.</summary>
internal static class Methods
{
    private static readonly FrozenDictionary<string, Builtin> OfDictionaries = Table(
        new("a dictionary's get", ["key", "default"], 1, (site, of, arguments) => site.GetKey((Mapping)of, arguments[0]!) ?? arguments.Value(1, None.Value)),
        new("a dictionary's keys", [], 0, (site, of, _) => site.Sequence(SequenceKind.Keys, ((Mapping)of).Keys)),
        new("a dictionary's values", [], 0, (site, of, _) => site.Sequence(SequenceKind.Values, ((Mapping)of).Values)),
        new("a dictionary's items", [], 0, (site, of, _) => site.Sequence(SequenceKind.Items, Pairs((Mapping)of, site))));

    private static readonly FrozenDictionary<string, Builtin> OfSequences = Table(
        new("a list's index", ["value"], 1, Index),
        new("a list's count", ["value"], 1, (site, of, arguments) => (long)((Sequence)of).Items.Count(item => Comparing.Same(item, arguments[0]!, site))));

    private static readonly FrozenSet<string> RefusedOfDictionaries = ["clear", "copy", "fromkeys", "pop", "popitem", "setdefault", "update"];

    private static readonly FrozenSet<string> RefusedOfLists = ["append", "clear", "copy", "extend", "insert", "pop", "remove", "reverse", "sort"];

    /// <summary>A method, ready to be called; null = there is none of that name.</summary>
    public static Function? Of(object value, string name, Site site)
    {
        var (table, refused) = value switch
        {
            string => (TextMethods.Known, TextMethods.Refused),
            Mapping => (OfDictionaries, RefusedOfDictionaries),
            Sequence { Kind: SequenceKind.List } => (OfSequences, RefusedOfLists),
            Sequence { HasPositions: true } => (OfSequences, FrozenSet<string>.Empty),
            _ => (FrozenDictionary<string, Builtin>.Empty, FrozenSet<string>.Empty),
        };
        if (table.TryGetValue(name, out var method)) return new(method.Called, (at, arguments) => method.Invoke(at, value, arguments));
        if (!refused.Contains(name)) return null;
        throw site.Fail(value switch
        {
            Mapping => $"a dictionary's method '{name}' is not implemented; where a key is meant, write ['{name}']",
            Sequence => $"a list's method '{name}' is not implemented: values do not change; add lists with '+', or set a namespace's field",
            _ => $"a text's method '{name}' is not implemented",
        });
    }

    public static List<object> Pairs(Mapping mapping, Site site) => [.. mapping.Entries.Select(entry => site.Sequence(SequenceKind.Tuple, [entry.Key, entry.Value]))];

    /// <summary>By the last word of what they are called.</summary>
    public static FrozenDictionary<string, Builtin> Table(params Builtin[] methods) => methods.ToFrozenDictionary(method => method.Called[(method.Called.LastIndexOf(' ') + 1)..], StringComparer.Ordinal);

    private static object Index(Site site, object of, Bound arguments)
    {
        foreach (var (place, item) in ((Sequence)of).Items.Index())
        {
            if (Comparing.Same(item, arguments[0]!, site)) return (long)place;
        }

        throw site.Fail("the list does not have the value that index looks for");
    }
}
