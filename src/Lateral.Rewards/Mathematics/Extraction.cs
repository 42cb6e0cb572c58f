namespace Lateral.Rewards.Mathematics;

/// <summary>The rules of <see cref="FinalAnswer"/> by the names that configurations have for them.</summary>
internal static class Extraction
{
    private static readonly OrderedDictionary<string, Func<string, string?>> Rules = new(StringComparer.Ordinal)
    {
        ["boxed"] = FinalAnswer.Boxed,
        ["answer"] = text => FinalAnswer.Tagged(text) is { } tagged ? FinalAnswer.Boxed(tagged) ?? tagged : null,
        ["marked"] = FinalAnswer.Marked,
        ["stated"] = FinalAnswer.Stated,
        ["last"] = FinalAnswer.LastNumber,
        // The first of the others that finds one: what a model was told to write is surer than what it happens to end with.
        ["any"] = text => Rules!.Take(5).Select(rule => rule.Value(text)).FirstOrDefault(answer => answer is not null),
    };

    public static IReadOnlyList<string> Names { get; } = [.. Rules.Keys];

    public static Func<string, string?> Of(string name) => Rules[name];
}
