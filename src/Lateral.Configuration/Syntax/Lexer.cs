using System.Text;

namespace Lateral.Configuration;

/// <summary>
/// Text to tokens in one forward pass. Every iteration consumes at least one character, so no input can make it loop; mistakes
/// inside a word are reported here and become one <see cref="TokenKind.Bad"/> token.
/// </summary>
internal sealed class Lexer
{
    /// <summary>Characters that the specification keeps out of unquoted strings.</summary>
    private const string Reserved = "$\"{}[]:=,+#`^?!@*&\\";

    private readonly string _text;
    private readonly string _source;
    private readonly Diagnostics _diagnostics;
    private readonly List<Token> _tokens = [];
    private int _at;
    private int _line = 1;
    private int _lineStart;

    private Lexer(string text, string source, Diagnostics diagnostics)
    {
        _text = text;
        _source = source;
        _diagnostics = diagnostics;
    }

    public static List<Token> Read(string text, string source, Diagnostics diagnostics)
    {
        var lexer = new Lexer(text, source, diagnostics);
        while (lexer._at < text.Length) lexer.ReadOne();
        lexer.Add(TokenKind.End, "", lexer.Here);
        return lexer._tokens;
    }

    private Origin Here => new(_source, _line, _at - _lineStart + 1);

    private char Peek(int ahead = 0) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    private bool Sees(string what) => string.CompareOrdinal(_text, _at, what, 0, what.Length) == 0;

    private void Add(TokenKind kind, string text, Origin origin, SubstitutionPath? path = null) => _tokens.Add(new Token(kind, text, origin, path));

    private void ReadOne()
    {
        var origin = Here;
        var c = Peek();
        if (c == '\n') ReadNewline(origin);
        else if (IsSpace(c)) ReadSpace(origin);
        else if (c == '#' || Sees("//")) SkipComment();
        else if (Sees("\"\"\"")) ReadTripleQuoted(origin);
        else if (c == '"') ReadQuoted(origin);
        else if (Sees("${")) ReadSubstitution(origin);
        else if (Sees("+=")) Punctuation(TokenKind.PlusEquals, 2, origin);
        else if (PunctuationKind(c) is { } kind) Punctuation(kind, 1, origin);
        else ReadWord(origin);
    }

    private static TokenKind? PunctuationKind(char c) => c switch
    {
        ',' => TokenKind.Comma,
        ':' => TokenKind.Colon,
        '=' => TokenKind.Equals,
        '{' => TokenKind.OpenBrace,
        '}' => TokenKind.CloseBrace,
        '[' => TokenKind.OpenBracket,
        ']' => TokenKind.CloseBracket,
        _ => null,
    };

    private void Punctuation(TokenKind kind, int length, Origin origin)
    {
        Add(kind, _text.Substring(_at, length), origin);
        _at += length;
    }

    private void ReadNewline(Origin origin)
    {
        Add(TokenKind.Newline, "\n", origin);
        AdvanceOver('\n');
    }

    private void AdvanceOver(char c)
    {
        _at++;
        if (c != '\n') return;
        _line++;
        _lineStart = _at;
    }

    /// <summary>The specification's list: every Unicode separator, the byte order mark and eight control characters; not U+0085.</summary>
    private static bool IsSpace(char c) => char.IsSeparator(c) || c is '\t' or '\v' or '\f' or '\r' or '\uFEFF' or (>= '\u001C' and <= '\u001F');

    private void ReadSpace(Origin origin)
    {
        var start = _at;
        while (_at < _text.Length && IsSpace(Peek())) _at++;
        Add(TokenKind.Space, _text[start.._at], origin);
    }

    private void SkipComment()
    {
        while (_at < _text.Length && Peek() != '\n') _at++;
    }

    private void ReadWord(Origin origin)
    {
        var start = _at;
        Origin? offence = null;
        while (_at < _text.Length && !EndsWord())
        {
            if (offence is null && Reserved.Contains(Peek(), StringComparison.Ordinal) && !IsExponentSign(start))
            {
                offence = Here;
                _diagnostics.Report(offence, $"'{Peek()}' must be quoted here - HOCON reserves this character - put the whole text in \"double quotes\"");
            }

            _at++;
        }

        Add(offence is null ? TokenKind.Unquoted : TokenKind.Bad, _text[start.._at], origin);
    }

    private bool EndsWord()
    {
        var c = Peek();
        return c is '\n' or '"' or '#' || IsSpace(c) || PunctuationKind(c) is not null || Sees("//") || Sees("${") || Sees("+=");
    }

    /// <summary>The plus of <c>1e+6</c> belongs to a number although unquoted text may not hold one.</summary>
    private bool IsExponentSign(int start) =>
        Peek() == '+' && _at > start + 1 && _text[_at - 1] is 'e' or 'E' && JsonNumber.IsValid(_text.AsSpan(start, _at - 1 - start)) && char.IsAsciiDigit(Peek(1));

    private void ReadTripleQuoted(Origin origin)
    {
        _at += 3;
        var start = _at;
        var end = _text.IndexOf("\"\"\"", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            _diagnostics.ReportStructure(origin, "\"\"\" opened here is never closed - the text runs to the end of the file - close it with \"\"\"");
            while (_at < _text.Length) AdvanceOver(Peek());
            Add(TokenKind.Bad, "", origin);
            return;
        }

        // Quotes beyond the third belong to the text: """a"""" is a".
        end += 3;
        while (end < _text.Length && _text[end] == '"') end++;
        while (_at < end) AdvanceOver(Peek());
        Add(TokenKind.Quoted, _text[start..(end - 3)], origin);
    }

    private void ReadQuoted(Origin origin)
    {
        var text = new StringBuilder();
        var bad = false;
        _at++;
        while (Peek() != '"' || _at >= _text.Length)
        {
            if (_at >= _text.Length || Peek() == '\n' || Sees("\r\n"))
            {
                _diagnostics.Report(origin, "\" opened here is not closed on this line - a quoted string ends where its line ends - add the closing \", or use \"\"\" for several lines");
                Add(TokenKind.Bad, text.ToString(), origin);
                return;
            }

            if (Peek() == '\\') bad |= !ReadEscape(text);
            else
            {
                if (Peek() < ' ' && !bad) ReportControl();
                bad |= Peek() < ' ';
                text.Append(Peek());
                _at++;
            }
        }

        _at++;
        Add(bad ? TokenKind.Bad : TokenKind.Quoted, text.ToString(), origin);
    }

    private void ReportControl()
    {
        var (name, escape) = Peek() == '\t' ? ("a tab", "\\t") : ($"control character U+{(int)Peek():X4}", $"\\u{(int)Peek():x4}");
        _diagnostics.Report(Here, $"{name} in a quoted string - JSON allows no control characters there - write {escape}, or use \"\"\" for text as it stands");
    }

    private bool ReadEscape(StringBuilder text)
    {
        var origin = Here;
        var c = Peek(1);
        if (c == 'u' && _at + 6 <= _text.Length && ushort.TryParse(_text.AsSpan(_at + 2, 4), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var code))
        {
            text.Append((char)code);
            _at += 6;
            return true;
        }

        var plain = "\"\\/bfnrt".IndexOf(c, StringComparison.Ordinal);
        _at++;
        if (plain < 0)
        {
            _diagnostics.Report(origin, $"'\\{(char.IsControl(c) ? "" : c)}' is not an escape - JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u0000 - write \\\\ for a backslash");
            return false;
        }

        text.Append("\"\\/\b\f\n\r\t"[plain]);
        _at++;
        return true;
    }

    private void ReadSubstitution(Origin origin)
    {
        _at += 2;
        var optional = Peek() == '?';
        if (optional) _at++;
        var outer = _tokens.Count;
        while (_at < _text.Length && Peek() is not ('}' or '\n' or '{' or '$')) ReadOne();
        var inner = _tokens.Skip(outer).SkipWhile(t => t.Kind == TokenKind.Space).ToList();
        _tokens.RemoveRange(outer, _tokens.Count - outer);
        if (Sees("${") && _text.AsSpan(_at).IndexOfAny('}', '\n') is > 0 and var end && _text[_at + end] == '}')
        {
            _diagnostics.Report(Here, "a substitution cannot hold another - its path is fixed text - write ${name}");
            while (_at < _text.Length && Peek() is not ('\n' or ',')) _at++;
            Add(TokenKind.Bad, "", origin);
            return;
        }

        if (Peek() != '}' || _at >= _text.Length)
        {
            _diagnostics.ReportStructure(origin, "'${' opened here is never closed - a substitution ends on its own line - write ${name} or ${?name}");
            Add(TokenKind.Bad, "", origin);
            return;
        }

        _at++;
        var list = inner is [.., { Kind: TokenKind.OpenBracket }, { Kind: TokenKind.CloseBracket }];
        if (list) inner.RemoveRange(inner.Count - 2, 2);
        if (ReadSubstitutionPath(inner, origin) is { } keys) Add(TokenKind.Substitution, "", origin, new SubstitutionPath(keys, optional, list));
        else Add(TokenKind.Bad, "", origin);
    }

    private List<string>? ReadSubstitutionPath(List<Token> inner, Origin origin)
    {
        if (inner.Exists(t => t.Kind == TokenKind.Bad)) return null;
        if (inner.Count > 0 && inner.TrueForAll(t => t.IsText)) return PathExpression.Parse(inner, _diagnostics);
        _diagnostics.Report(origin, inner.Count == 0
            ? "${} names nothing - a substitution needs a path - write ${a.b}"
            : "only a path may stand between ${ and } - for example ${algorithms.grpo} or ${?HOME}");
        return null;
    }
}
