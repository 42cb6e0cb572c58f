using System.Text.RegularExpressions;

namespace Lateral.Rewards.Mathematics;

/// <summary>Where the final answer of a completion stands. Every rule is linear in the text, returns null where there is none, and takes the last of several.</summary>
public static partial class FinalAnswer
{
    private static readonly string[] Boxes = [@"\boxed", @"\fbox"];

    /// <summary>What the last <c>\boxed{}</c> or <c>\fbox{}</c> holds, braces inside it and all; null, too, where it does not end.</summary>
    public static string? Boxed(string text)
    {
        var begin = Boxes.Max(box => text.LastIndexOf(box, StringComparison.Ordinal) is var found and >= 0 ? found + box.Length : -1);
        if (begin < 0) return null;
        while (begin < text.Length && text[begin] == ' ') begin++;
        if (begin == text.Length || text[begin] != '{') return null;
        var depth = 0;
        for (var i = begin; i < text.Length; i++)
        {
            // \{ and \} are signs, and need not be balanced.
            if (text[i] == '\\') i++;
            else if (text[i] == '{') depth++;
            else if (text[i] == '}' && --depth == 0) return text[(begin + 1)..i];
        }

        return null;
    }

    /// <summary>What stands in the last <c>&lt;answer&gt;</c> that ends, without white space around it.</summary>
    public static string? Tagged(string text) => Tagged(text, "answer");

    internal static string? Tagged(string text, string tag)
    {
        var end = text.LastIndexOf($"</{tag}>", StringComparison.Ordinal);
        var begin = end < 0 ? -1 : text.LastIndexOf($"<{tag}>", end, StringComparison.Ordinal);
        return begin < 0 ? null : text[(begin + tag.Length + 2)..end].Trim();
    }

    /// <summary>GSM8K's own rule, lm-evaluation-harness's strict one: the number behind the first <c>####</c>.</summary>
    public static string? Marked(string text) => Mark().Match(text) is { Success: true } match ? match.Groups["number"].Value : null;

    /// <summary>lm-evaluation-harness's flexible rule: the last number.</summary>
    public static string? LastNumber(string text)
    {
        string? last = null;
        foreach (var match in Number().EnumerateMatches(text)) last = text.Substring(match.Index, match.Length);
        return last;
    }

    /// <summary>What follows the last "the answer is", up to the end of the sentence or line.</summary>
    public static string? Stated(string text)
    {
        var begin = -1;
        foreach (var match in Statement().EnumerateMatches(text)) begin = match.Index + match.Length;
        if (begin < 0) return null;
        var end = text.IndexOf('\n', begin);
        var rest = end < 0 ? text[begin..] : text[begin..end];
        // A full stop ends it, a decimal point does not.
        var stop = rest.IndexOf(". ", StringComparison.Ordinal);
        var answer = (stop < 0 ? rest : rest[..stop]).Trim().Trim('*').TrimEnd('.').Trim();
        return answer.Length > 0 ? answer : null;
    }

    [GeneratedRegex("#### *(?<number>-?\\$?[0-9.,]+)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Mark();

    [GeneratedRegex("-?[$0-9.,]{2,}|-?[0-9]+", RegexOptions.NonBacktracking)]
    private static partial Regex Number();

    [GeneratedRegex("answer (is:|is)|answer: ", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Statement();
}
