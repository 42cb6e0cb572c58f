namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Elements in order; those that are equal stay as they were.</summary>
internal static class Sorting
{
    /// <param name="path">what of an element decides; null = all of it</param>
    public static List<object> Sort(IReadOnlyList<object> elements, AttributePath? path, bool descending, bool caseSensitive, Site site)
    {
        var keyed = elements.Select(element => (Element: element, Key: Folded(path is null ? element : path.Follow(element, site), caseSensitive, site))).ToList();
        // A comparison that failed in the middle of a sort would be another exception, so what has no order and is not equal either is found before.
        var characters = 0L;
        foreach (var (_, key) in keyed)
        {
            if (Comparing.Order(keyed[0].Key, key) is null && !Comparing.Same(keyed[0].Key, key, site)) throw site.Fail($"{Kinds.Of(keyed[0].Key)} and {Kinds.Of(key)} have no order to sort them by");
            characters += key is string text ? text.Length : 0;
        }

        var rounds = 64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)keyed.Count);
        site.Step((long)keyed.Count * rounds);
        site.Characters(characters * rounds);
        var order = Comparer<object>.Create((a, b) => Comparing.Order(a, b) ?? 0);
        return [.. (descending ? keyed.OrderByDescending(pair => pair.Key, order) : keyed.OrderBy(pair => pair.Key, order)).Select(pair => pair.Element)];
    }

    /// <summary>Large and small letters are one where case does not count.</summary>
    public static object Folded(object key, bool caseSensitive, Site site) => key is string text && !caseSensitive ? site.Made(text.ToLowerInvariant()) : key;
}
