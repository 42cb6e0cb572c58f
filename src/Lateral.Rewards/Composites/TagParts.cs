using System.Text.RegularExpressions;
using Lateral.Core.Rewards;
using Lateral.Rewards.Mathematics;

namespace Lateral.Rewards.Composites;

/// <summary>
/// The format rewards of d1 (arXiv 2504.12216), whose prompts ask for <c>&lt;reasoning&gt;...&lt;/reasoning&gt;&lt;answer&gt;...&lt;/answer&gt;</c>.
/// Departures: (1) reasoning may have line breaks, at which the patterns of d1's code end; (2) the strict form may end without a line break; (3) a character behind the closing tag counts once.
/// </summary>
internal static partial class TagParts
{
    /// <summary>Each tag that stands exactly once on a line of its own earns a quarter; each character behind the closing answer tag costs 0.002. With d1's weight .5 that is .125 a tag and .001 a character.</summary>
    public static readonly Part Tags = new("tags", request => Counted(request.Completion));

    /// <summary>The completion begins with both blocks, with nothing but white space between them.</summary>
    public static readonly Part Soft = new("soft-format", request => OneIf(SoftForm().IsMatch(request.Completion)));

    /// <summary>The completion is both blocks, every tag on a line of its own, and nothing else.</summary>
    public static readonly Part Strict = new("strict-format", request => OneIf(StrictForm().IsMatch(request.Completion)));

    /// <summary>The tagged answer is digits and nothing else.</summary>
    public static readonly Part Integer = new("integer", request => OneIf(FinalAnswer.Tagged(request.Completion) is { Length: > 0 } answer && answer.All(char.IsAsciiDigit)));

    /// <summary>d1's steps for MATH: 1 for a box in answer tags, .75 for answer tags without one, .5 for a box without tags, .25 for neither.</summary>
    public static readonly Part BoxInTags = new("boxed-tags", request => FinalAnswer.Tagged(request.Completion) is { } answer ? FinalAnswer.Boxed(answer) is null ? .75 : 1 : FinalAnswer.Boxed(request.Completion) is null ? .25 : .5);

    /// <summary>There is something between an opening and a closing tag.</summary>
    public static Part Pair(string tag, string name) => new(name, request => OneIf(FinalAnswer.Tagged(request.Completion, tag) is { Length: > 0 }));

    private static double OneIf(bool holds) => holds ? 1 : 0;

    private static double Counted(string text)
    {
        var tags = (OneIf(Once(text, "<reasoning>\n")) + OneIf(Once(text, "\n</reasoning>\n")) + OneIf(Once(text, "\n<answer>\n")) + OneIf(Once(text, "\n</answer>"))) / 4;
        if (!Once(text, "\n</answer>")) return tags;
        var behind = text.AsSpan(text.IndexOf("\n</answer>", StringComparison.Ordinal) + "\n</answer>".Length);
        return tags - .002 * (behind.StartsWith("\n") ? behind.Length - 1 : behind.Length);
    }

    private static bool Once(string text, string tag) => text.AsSpan().Count(tag) == 1;

    [GeneratedRegex(@"\A<reasoning>.*?</reasoning>\s*<answer>.*?</answer>", RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex SoftForm();

    [GeneratedRegex(@"\A<reasoning>\n.*?\n</reasoning>\n<answer>\n.*?\n</answer>\n?\z", RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex StrictForm();
}
