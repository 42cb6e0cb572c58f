namespace Lateral.Configuration;

/// <summary>Values: concatenations of strings, substitutions, objects and lists.</summary>
internal sealed partial class Parser
{
    private const string TooDeep = "nested too deeply - 100 levels are allowed - is a brace or bracket repeated by mistake?";

    private static LiteralNode Failed(Origin origin) => new(ConfigScalar.Placeholder(origin));

    private Node ParseValue()
    {
        var (first, start) = (Current.Origin, _at);
        var parts = new List<Node>();
        var failed = false;
        while (!Current.EndsValue)
        {
            switch (Current.Kind)
            {
                case TokenKind.Space or TokenKind.Unquoted or TokenKind.Quoted:
                    parts.Add(ParseText());
                    break;
                case TokenKind.Substitution:
                    var token = Take();
                    parts.Add(new SubstitutionNode(token.Origin, token.Path!, prefix));
                    break;
                case TokenKind.OpenBrace or TokenKind.OpenBracket when _depth >= Node.MaxDepth:
                    diagnostics.Report(Current.Origin, TooDeep);
                    SkipField();
                    failed = true;
                    break;
                case TokenKind.OpenBrace or TokenKind.OpenBracket:
                    // A value whose closing brace is missing has ended early, and that has been reported.
                    parts.Add(Current.Kind == TokenKind.OpenBrace ? ParseObject() : ParseArray());
                    if (tokens[_at - 1].Kind is TokenKind.CloseBrace or TokenKind.CloseBracket && !StartsSecondKey()) break;
                    return parts.Count == 1 ? parts[0] : new ConcatenationNode(parts);
                case TokenKind.Bad:
                    Take();
                    failed = true;
                    break;
                default:
                    var (place, message) = StraySeparator(start);
                    diagnostics.Report(place, message);
                    SkipField();
                    failed = true;
                    break;
            }
        }

        while (parts is [.., LiteralNode { IsSpace: true }]) parts.RemoveAt(parts.Count - 1);
        if (failed || parts.Count == 0) return Failed(first);
        return parts.Count == 1 ? parts[0] : new ConcatenationNode(parts);
    }

    /// <summary>After <c>a { ... }</c> on the same line: <c>b = 2</c> lacks its comma; it is reported and then read as the field it is.</summary>
    private bool StartsSecondKey()
    {
        var next = _at;
        while (tokens[next].Kind == TokenKind.Space) next++;
        if (SeparatorAfterText(next) is not { } after || !(after.IsSeparator || after.Kind == TokenKind.OpenBrace)) return false;
        _at = next;
        diagnostics.Report(Current.Origin, $"a second key starts here - the value before it ends on the same line - put a comma or a new line before '{Current.Text}'");
        return true;
    }

    /// <summary>Neighbouring words, quoted strings and the white space between them are one string; a lone word may be a number.</summary>
    private LiteralNode ParseText()
    {
        var start = _at;
        if (Current.Kind == TokenKind.Space) Take();
        else while (Current.IsText) Take();
        var end = _at;
        // White space at the end of the value is not part of it, white space before another part is.
        if (Current.EndsValue)
            while (end > start + 1 && tokens[end - 1].Kind == TokenKind.Space) end--;
        var text = tokens[start..end];
        var origin = text[0].Origin;
        if (text is [{ Kind: TokenKind.Unquoted } word]) return new LiteralNode(ConfigScalar.Unquoted(origin, word.Text));
        var scalar = new ConfigScalar(origin, string.Concat(text.Select(t => t.Text)), text.Exists(t => t.Kind == TokenKind.Quoted), ScalarKind.String);
        return new LiteralNode(scalar) { IsSpace = text.TrueForAll(t => t.Kind == TokenKind.Space) };
    }

    private ObjectNode ParseObject()
    {
        var open = Take();
        var value = new ObjectNode(open.Origin);
        ParseFields(value, open);
        return value;
    }

    private ArrayNode ParseArray()
    {
        var open = Take();
        var items = new List<Node>();
        _depth++;
        _lists++;
        ParseItems(items, open);
        _lists--;
        _depth--;
        return new ArrayNode(open.Origin, items);
    }

    private void ParseItems(List<Node> items, Token open)
    {
        var afterItem = false;
        while (true)
        {
            var line = Current.Origin.Line;
            SkipBlank();
            if (afterItem && Current.Kind == TokenKind.Comma)
            {
                Take();
                SkipBlank();
            }

            afterItem = false;
            var startsLine = items.Count > 0 && Current.Origin.Line > line;
            switch (Current.Kind)
            {
                case TokenKind.CloseBracket:
                    Take();
                    return;
                case TokenKind.End or TokenKind.CloseBrace:
                    diagnostics.ReportStructure(open.Origin, Current.Kind == TokenKind.End
                        ? "'[' opened here is never closed - the file ends first - add ']'"
                        : $"'[' opened here is never closed - '}}' at {Current.Origin} comes first - add ']'");
                    return;
                case TokenKind.Comma:
                    diagnostics.Report(Take().Origin, "extra comma - one comma or a new line separates two items - remove it");
                    break;
                case TokenKind.Colon or TokenKind.Equals or TokenKind.PlusEquals:
                    diagnostics.Report(Current.Origin, $"'{Current.Text}' in a list - a list holds values, not keys - write [{{ key = value }}], or close the list with ']'");
                    SkipField();
                    break;
                default:
                    if (SeparatorAfterText(_at) is { IsSeparator: true } separator)
                    {
                        if (startsLine)
                        {
                            diagnostics.ReportStructure(open.Origin, $"'[' opened here is never closed - '{separator.Text}' at {separator.Origin} starts a new key - add ']'");
                            return;
                        }

                        diagnostics.Report(separator.Origin, $"'{separator.Text}' in a list - a list holds values, not keys - write [{{ key = value }}], or close the list with ']'");
                        SkipField();
                    }
                    else
                    {
                        items.Add(ParseValue());
                    }

                    afterItem = true;
                    break;
            }
        }
    }
}
