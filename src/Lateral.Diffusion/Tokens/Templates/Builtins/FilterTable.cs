using System.Collections.Frozen;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>The filters that are implemented, under all their names.</summary>
internal static class FilterTable
{
    private static readonly FrozenDictionary<string, Builtin> Known = TextFilters.All.Concat(SequenceFilters.All).Concat(SelectingFilters.All)
        .ToFrozenDictionary(filter => filter.Name, filter => new Builtin($"the filter '{filter.Name}'", filter.Parameters, filter.Required, filter.Body), StringComparer.Ordinal);

    public static Builtin? Find(string name) => Known.GetValueOrDefault(name);

    public static string NotImplemented(string name) =>
        name is "e" or "escape" or "forceescape" ? $"the filter '{name}' writes HTML, which no model was trained with, and is not implemented"
            : $"the filter '{name}' is not implemented; there are {string.Join(", ", Known.Keys.Order(StringComparer.Ordinal))}";
}

/// <param name="Parameters">null = the filter looks at its arguments itself</param>
internal sealed record NamedFilter(string Name, string[]? Parameters, int Required, Func<Site, object, Bound, object> Body);
