namespace Lateral.Configuration;

/// <summary>
/// Tokens to nodes by recursive descent, following the public HOCON specification. After a mistake it skips to the next field
/// and goes on, so that one pass finds every mistake. Every loop consumes a token or returns; nesting is capped.
/// </summary>
internal sealed partial class Parser(List<Token> tokens, string source, SourceReader reader, Diagnostics diagnostics, IReadOnlyList<string> prefix, int depth)
{
    /// <summary>Keys from the root of the whole config to the object being parsed; meaningless inside a list (<see cref="_lists"/> > 0).</summary>
    private readonly List<string> _path = [.. prefix];
    private int _at;

    /// <summary>Levels between the root and here: one for every key and for every list.</summary>
    private int _depth = depth;
    private int _lists;

    private Token Current => tokens[_at];

    private Token Take() => tokens[_at].Kind == TokenKind.End ? tokens[_at] : tokens[_at++];

    public ObjectNode ParseRoot()
    {
        var root = new ObjectNode(new Origin(source, 1, 1));
        SkipBlank();
        if (Current.Kind == TokenKind.OpenBracket)
        {
            diagnostics.ReportStructure(Current.Origin, NamelessList("a config file holds keys, not a list - give the list a name: items = [...]"));
            return root;
        }

        if (Current.Kind != TokenKind.OpenBrace)
        {
            ParseFields(root, null);
            return root;
        }

        ParseFields(root, Take());
        SkipBlank();
        if (Current.Kind != TokenKind.End)
            diagnostics.ReportStructure(Current.Origin, "text after the '}' that closes the file - the '{' on top closes here - remove one '}', or the outer braces");
        return root;
    }

    /// <summary>Fields up to the brace that closes <paramref name="open"/>, or to the end of the file when there is none.</summary>
    private void ParseFields(ObjectNode into, Token? open)
    {
        var afterField = false;
        while (true)
        {
            SkipBlank();
            if (afterField && Current.Kind == TokenKind.Comma)
            {
                Take();
                SkipBlank();
            }

            afterField = false;
            switch (Current.Kind)
            {
                case TokenKind.End:
                    if (open is not null) diagnostics.ReportStructure(open.Origin, "'{' opened here is never closed - the file ends first - add '}'");
                    return;
                case TokenKind.CloseBrace when open is not null:
                    Take();
                    return;
                case TokenKind.CloseBrace:
                    diagnostics.ReportStructure(Take().Origin, "'}' closes nothing - every '{' before it is already closed - remove it");
                    break;
                case TokenKind.CloseBracket when open is not null && _lists > 0:
                    diagnostics.ReportStructure(open.Origin, $"'{{' opened here is never closed - ']' at {Current.Origin} comes first - add '}}'");
                    return;
                case TokenKind.CloseBracket:
                    diagnostics.ReportStructure(Take().Origin, "']' closes nothing - no '[' is open here - remove it");
                    break;
                case TokenKind.Comma:
                    diagnostics.Report(Take().Origin, "extra comma - one comma or a new line separates two keys - remove it");
                    break;
                default:
                    ParseField(into);
                    afterField = true;
                    break;
            }
        }
    }

    private void ParseField(ObjectNode into)
    {
        if (Current is { Kind: TokenKind.Unquoted, Text: "include" })
        {
            ParseInclude(into);
            return;
        }

        var text = new List<Token>();
        while (Current.IsText) text.Add(Take());
        if (text.Count == 0)
        {
            if (Current.Kind != TokenKind.Bad) diagnostics.Report(Current.Origin, NoKey(Current));
            SkipField();
            return;
        }

        var path = PathExpression.Parse(text, diagnostics);
        var name = path is null ? "" : ConfigPath.Render(path);
        FindSeparator();
        var separator = Current;
        if (!separator.IsSeparator && separator.Kind != TokenKind.OpenBrace)
        {
            if (separator.Kind != TokenKind.Bad && path is not null) diagnostics.Report(text[0].Origin, NoSeparator(name, separator));
            SkipField();
            if (path is not null) Assign(into, path, text[0].Origin, Failed(text[0].Origin), append: false);
            return;
        }

        if (path is not null) _path.AddRange(path);
        _depth += path?.Count ?? 1;
        if (separator.IsSeparator) Take();
        RefuseSecondSeparator(separator);
        var value = HasValue() ? ParseValue() : MissingValue(text[0].Origin, name);
        _depth -= path?.Count ?? 1;
        if (path is not null) _path.RemoveRange(_path.Count - path.Count, path.Count);
        if (path is not null) Assign(into, path, text[0].Origin, value, separator.Kind == TokenKind.PlusEquals);
    }

    private void Assign(ObjectNode into, List<string> path, Origin keyOrigin, Node value, bool append)
    {
        if (_depth + path.Count > Node.MaxDepth)
        {
            diagnostics.Report(keyOrigin, TooDeep);
            return;
        }

        for (var i = 0; i < path.Count - 1; i++)
        {
            var field = into.FieldAt(path[i]);
            field.Add(new Entry(new ObjectNode(keyOrigin), keyOrigin));
            into = (ObjectNode)field.Entries[^1].Node;
        }

        var target = into.FieldAt(path[^1]);
        if (append)
        {
            target.Add(new Entry(new AppendNode(value), keyOrigin));
            return;
        }

        foreach (var part in AsObjectParts(value)) target.Add(new Entry(part, keyOrigin) { LooksBack = NamesItself(part, path) });
    }

    /// <summary>
    /// <c>a = ${base} { x = 1 }</c> means the same as <c>a = ${base}</c> followed by <c>a = { x = 1 }</c>; stored like that, the
    /// keys of the literal can be looked up while the rest is still unresolved.
    /// </summary>
    private static List<Node> AsObjectParts(Node value)
    {
        if (value is not ConcatenationNode concatenation || !concatenation.Parts.Exists(p => p is ObjectNode)) return [value];
        var parts = concatenation.Parts.Where(p => p is not LiteralNode { IsSpace: true }).ToList();
        if (!parts.TrueForAll(p => p is ObjectNode or SubstitutionNode)) return [value];
        foreach (var substitution in parts.OfType<SubstitutionNode>()) substitution.MustBeObject = true;
        return parts;
    }

    private bool NamesItself(Node value, List<string> path)
    {
        return _lists == 0 && value switch
        {
            SubstitutionNode s => IsOwn(s),
            ConcatenationNode c => c.Parts.Exists(p => p is SubstitutionNode s && IsOwn(s)),
            _ => false,
        };

        bool IsOwn(SubstitutionNode s) => s.Path.Keys.SequenceEqual(_path.Concat(path)) || s.Prefix.Concat(s.Path.Keys).SequenceEqual(_path.Concat(path));
    }
}
