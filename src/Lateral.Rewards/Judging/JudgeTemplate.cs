using System.Text.RegularExpressions;

namespace Lateral.Rewards.Judging;

/// <summary>What the judge is shown: a text with the places <c>{prompt}</c>, <c>{reference}</c> and <c>{completion}</c>. Other braces are text.</summary>
internal sealed partial class JudgeTemplate(string text)
{
    public const string BuiltIn =
        """
        How good is this answer? A good one is right, does what was asked, and says no more than it has to.

        The question:
        {prompt}

        A reference that a good answer agrees with:
        {reference}

        The answer to judge:
        {completion}
        """;

    /// <summary>What a text needs to be a template; null where nothing is missing.</summary>
    public static string? Mistake(string text) =>
        text.Contains("{completion}", StringComparison.Ordinal) ? null : "text with {completion} where the answer to judge stands, and {prompt} and {reference} where wanted";

    /// <summary>Fills the places in one pass: a place that stands in a filled text stays text.</summary>
    public string Render(Quotation quotation, string prompt, string reference, string completion) => Place().Replace(text, place => place.Value switch
    {
        "{prompt}" => quotation.Quote("prompt", prompt),
        "{reference}" => reference.Length == 0 ? "(there is none)" : quotation.Quote("reference", reference),
        _ => quotation.Quote("completion", completion),
    });

    [GeneratedRegex(@"\{(prompt|reference|completion)\}", RegexOptions.ExplicitCapture)]
    private static partial Regex Place();
}
