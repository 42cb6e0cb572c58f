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

    private void RefuseSecondSeparator(Token first)
    {
        var next = _at;
        while (tokens[next].Kind == TokenKind.Space) next++;
        if (!first.IsSeparator || !tokens[next].IsSeparator) return;
        diagnostics.Report(tokens[next].Origin, $"'{tokens[next].Text}' after '{first.Text}' - one separator is enough - remove one of them");
        _at = next + 1;
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
        diagnostics.Report(key, $"key '{name}' has no value - the line ends after the separator - write {name} = value, {name} {{ ... }} for a section, or \"\" for an empty text");
        return Failed(key);
    }

    private static string NoSeparator(string name, Token found) => found.Kind == TokenKind.OpenBracket
        ? $"'=' is missing between '{name}' and its list - write {name} = [...]"
        : $"key '{name}' has no value - a key needs '=', ':' or '{{' after it - write {name} = value";

    /// <summary>A list where a key should stand; <c>[rollout]</c> on a line of its own is another format's section.</summary>
    private string NamelessList(string why)
    {
        var name = tokens.Skip(_at + 1).TakeWhile(t => t.IsText).ToList();
        var next = _at + 1 + name.Count;
        return name.Count > 0 && tokens[next].Kind == TokenKind.CloseBracket && tokens[next + 1].Kind == TokenKind.Newline
            ? $"'[{string.Concat(name.Select(t => t.Text))}]' starts no section - sections have braces - write {string.Concat(name.Select(t => t.Text))} {{ ... }}"
            : why;
    }

    /// <summary>
    /// A separator inside a value. After <c>a = 1 b = 2</c> the place is b, where the comma is missing; ':' after a plain word
    /// belongs more often to a URL or a path.
    /// </summary>
    private (Origin Place, string Message) StraySeparator(int valueStart)
    {
        if (Current.Kind == TokenKind.Colon && tokens[_at - 1].Kind != TokenKind.Quoted) return (Current.Origin, "':' must be quoted here - unquoted text ends at ':' - put the whole value in \"double quotes\"");
        var end = _at;
        while (end > valueStart && tokens[end - 1].Kind == TokenKind.Space) end--;
        var start = end;
        while (start > valueStart && tokens[start - 1].Kind is TokenKind.Unquoted or TokenKind.Quoted) start--;
        var key = string.Concat(tokens[start..end].Select(t => t.Text));
        return start < end && start > valueStart && tokens[start - 1].Kind == TokenKind.Space
            ? (tokens[start].Origin, $"a second key '{key}' starts on this line - a comma or a new line separates two keys - put a comma before '{key}', or the whole value in \"double quotes\"")
            : (Current.Origin, $"'{Current.Text}' must be quoted here - HOCON reserves this character - put the whole value in \"double quotes\"");
    }

    private string NoKey(Token found) => found.Kind switch
    {
        TokenKind.OpenBracket => NamelessList("'[' has no key before it - a list needs a name - write name = [...]"),
        TokenKind.OpenBrace => "'{' has no key before it - a section needs a name - write name { ... }",
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
