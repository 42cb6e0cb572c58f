using System.Text.RegularExpressions;

namespace Lateral.Configuration;

/// <summary>Looking ahead, skipping after a mistake, includes, and the words for what is missing.</summary>
internal sealed partial class Parser
{
    private void SkipBlank()
    {
        while (Current.Kind is TokenKind.Space or TokenKind.Newline) Take();
    }

    private int BlankEnd(int at)
    {
        while (tokens[at].Kind is TokenKind.Space or TokenKind.Newline) at++;
        return at;
    }

    /// <summary>The token after the text at <paramref name="at"/>, or null when there is no text.</summary>
    private Token? SeparatorAfterText(int at)
    {
        var start = at;
        while (tokens[at].IsText) at++;
        return at == start ? null : tokens[at];
    }

    /// <summary>A separator or '{' may stand on the line after its key, as JSON allows and C# habits suggest.</summary>
    private void FindSeparator()
    {
        var next = BlankEnd(_at);
        if (tokens[next].IsSeparator || tokens[next].Kind == TokenKind.OpenBrace) _at = next;
    }

    /// <summary>
    /// Moves to the value. False when the line ends without one: <c>a =</c> followed by a line <c>b = 2</c> means that a was
    /// forgotten, not that a is "b".
    /// </summary>
    private bool HasValue()
    {
        while (Current.Kind == TokenKind.Space) Take();
        if (Current.Kind != TokenKind.Newline) return !Current.EndsValue;
        var next = BlankEnd(_at);
        if (tokens[next].EndsValue || SeparatorAfterText(next) is { } after && (after.IsSeparator || after.Kind == TokenKind.OpenBrace)) return false;
        _at = next;
        return true;
    }

    private LiteralNode MissingValue(Origin key, string name)
    {
        diagnostics.Report(key, $"key '{name}' has no value - the line ends after the separator - write {name} = value, or \"\" for an empty text");
        return Failed(key);
    }

    private static string NoSeparator(string name, Token found) => found.Kind == TokenKind.OpenBracket
        ? $"'=' is missing between '{name}' and its list - write {name} = [...]"
        : $"key '{name}' has no value - a key needs '=', ':' or '{{' after it - write {name} = value";

    private static string NoKey(Token found) => found.Kind switch
    {
        TokenKind.OpenBrace => "'{' has no key before it - a section needs a name - write name { ... }",
        TokenKind.OpenBracket => "'[' has no key before it - a list needs a name - write name = [...]",
        TokenKind.Substitution => "a substitution cannot be a key - keys are fixed text - write name = ${...}",
        _ => $"'{found.Text}' has no key before it - write name {found.Text} value",
    };

    /// <summary>Skips to the end of the field or item, over whole nested braces and brackets, without recursion.</summary>
    private void SkipField()
    {
        var nested = 0;
        while (Current.Kind != TokenKind.End && (nested > 0 || !Current.EndsValue))
        {
            if (Current.Kind is TokenKind.OpenBrace or TokenKind.OpenBracket) nested++;
            if (Current.Kind is TokenKind.CloseBrace or TokenKind.CloseBracket) nested--;
            Take();
        }
    }

    private void ParseInclude(ObjectNode into)
    {
        var origin = Current.Origin;
        // The name may stand on a later line.
        var start = BlankEnd(_at + 1);
        if (!tokens[start].IsText) start = _at + 1;
        var end = start;
        while (tokens[end].IsText) end++;
        var words = tokens[start..end].Where(t => t.Kind != TokenKind.Space).ToList();
        _at = end;
        var before = string.Concat(words.TakeWhile(t => t.Kind != TokenKind.Quoted).Select(t => t.Text));
        if (ElsewhereStart().IsMatch(before))
        {
            diagnostics.Report(origin, "include url(...) and classpath(...) are not supported - only files are read - write include file(\"other.conf\")");
            SkipField();
            return;
        }

        if (tokens[end].IsSeparator || tokens[end].Kind == TokenKind.OpenBrace)
        {
            diagnostics.Report(origin, "include starts a file inclusion - it is not free as a key - write \"include\" in quotes");
            SkipField();
            return;
        }

        SkipField();
        if (tokens[end].Kind == TokenKind.Bad) return;
        var names = words.Where(t => t.Kind == TokenKind.Quoted).ToList();
        var after = string.Concat(words.SkipWhile(t => t.Kind != TokenKind.Quoted).Skip(1).Select(t => t.Text));
        var file = names.Count == 1 && tokens[end].EndsValue ? names[0] : null;
        switch (before, after)
        {
            case ("", "") or ("file(", ")") when file is not null:
                Splice(into, file, required: false);
                break;
            case ("required(", ")") or ("required(file(", "))") when file is not null:
                Splice(into, file, required: true);
                break;
            default:
                diagnostics.Report(origin, "include needs one quoted file name - write include \"other.conf\" or include required(file(\"other.conf\"))");
                break;
        }
    }

    [GeneratedRegex(@"^(required\()?(url|classpath)\(", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex ElsewhereStart();

    private void Splice(ObjectNode into, Token name, bool required)
    {
        // A list item has no path, so a file included there sees the keys of the file around it.
        IReadOnlyList<string> at = _lists == 0 ? [.. _path] : prefix;
        if (reader.Include(name.Text, required, name.Origin, at, _depth) is { } included) into.Absorb(included);
    }
}
