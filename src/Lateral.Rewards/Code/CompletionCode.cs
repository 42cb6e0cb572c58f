using System.Text.RegularExpressions;

namespace Lateral.Rewards.Code;

/// <summary>The program in a completion.</summary>
internal static partial class CompletionCode
{
    public static bool IsFenced(string completion) => Fenced().IsMatch(completion.ReplaceLineEndings("\n"));

    /// <summary>The first code block; all of a completion that has none.</summary>
    public static string Block(string completion) => Fenced().Match(completion) is { Success: true } match ? match.Groups["code"].Value : completion;

    /// <summary>
    /// What runs. A function to complete stands behind its prompt in any case: a completion that only goes on from it is the function's body, and one that has the whole function defines it again, with the prompt's imports and
    /// other functions above.
    /// </summary>
    public static string Program(CodeProblem problem, string completion)
    {
        var code = Block(completion.ReplaceLineEndings("\n"));
        if (problem is not CodeProblem.HumanEval function) return code;
        var whole = Regex.IsMatch(code, $@"^(?:async\s+)?def\s+{Regex.Escape(function.EntryPoint)}\b|^{Regex.Escape(function.EntryPoint)}\s*=", RegexOptions.Multiline, TimeSpan.FromSeconds(1));
        return whole ? $"{function.Prompt}\n\n{code}" : function.Prompt + Body(code);
    }

    /// <summary>Where a model's first line has lost its indentation and the others have theirs, it gets it back.</summary>
    private static string Body(string code)
    {
        var lines = code.Split('\n');
        var first = Array.FindIndex(lines, line => line.Trim().Length > 0);
        if (first < 0 || char.IsWhiteSpace(lines[first][0]) || !lines.Skip(first + 1).All(line => line.Trim().Length == 0 || char.IsWhiteSpace(line[0]))) return code;
        lines[first] = "    " + lines[first];
        return string.Join('\n', lines);
    }

    [GeneratedRegex(@"```(?:python|py)?[ \t]*\n(?<code>.*?)(?:```|\z)", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Fenced();
}
