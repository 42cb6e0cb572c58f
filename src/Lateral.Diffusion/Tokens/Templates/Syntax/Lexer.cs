namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>
/// A template's text to tokens: what stands between tags, and (in Lexer.Tags.cs) what stands in them. White space is cut as published templates expect: the line feed behind a block or comment belongs to the
/// tag, and so does what indents one that begins its line; <c>-</c> cuts all white space on its side, <c>+</c> none. Every round consumes a character, so no text makes it loop.
/// </summary>
internal sealed partial class Lexer
{
    private readonly SourceLines _lines;
    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _at;

    private Lexer(string template)
    {
        _lines = new(template);
        _source = _lines.Text;
    }

    public static List<Token> Read(string template)
    {
        var lexer = new Lexer(template);
        while (lexer._at < lexer._source.Length) lexer.ReadOne();
        lexer.Add(TokenKind.End, "", lexer._source.Length);
        return lexer._tokens;
    }

    private void Add(TokenKind kind, string text, int index, object? number = null) => _tokens.Add(new(kind, text, _lines.At(index), number));

    private void AddText(string text)
    {
        if (text.Length > 0) Add(TokenKind.Text, text, _at);
    }

    private bool Sees(int index, string what) => string.CompareOrdinal(_source, index, what, 0, what.Length) == 0;

    private int AfterSpace(int index)
    {
        while (index < _source.Length && WhiteSpace.Is(_source[index])) index++;
        return index;
    }

    /// <summary>The text up to a tag, and the tag.</summary>
    private void ReadOne()
    {
        var begin = _source.IndexOf('{', _at);
        while (begin >= 0 && begin + 1 < _source.Length && _source[begin + 1] is not ('{' or '%' or '#')) begin = _source.IndexOf('{', begin + 1);
        if (begin < 0 || begin + 1 == _source.Length)
        {
            AddText(_source[_at..]);
            _at = _source.Length;
            return;
        }

        var kind = _source[begin + 1];
        var inside = begin + 2;
        var sign = Sign(ref inside);
        AddText(Before(begin, sign, print: kind == '{'));
        if (kind == '#') SkipComment(begin, inside);
        else if (kind == '%' && RawTag("raw", inside) is { } raw) ReadRaw(begin, raw.End, raw.Sign);
        else ReadTag(begin, inside, print: kind == '{');
    }

    private char Sign(ref int index) => index < _source.Length && _source[index] is '-' or '+' ? _source[index++] : '\0';

    /// <summary>The text between here and a tag, less the white space that the tag takes with it.</summary>
    private string Before(int tag, char sign, bool print)
    {
        var text = _source[_at..tag];
        if (sign == '-') return WhiteSpace.TrimEnd(text);
        if (sign == '+' || print) return text;
        var indent = text.LastIndexOf('\n') + 1;
        var beginsLine = indent > 0 || _at == 0 || _source[_at - 1] == '\n';
        return beginsLine && text.AsSpan(indent).IndexOfAnyExcept(WhiteSpace.Characters) < 0 ? text[..indent] : text;
    }

    /// <summary>Goes on behind a tag's end.</summary>
    /// <param name="line">the line feed behind it belongs to it</param>
    private void Leave(int end, char sign, bool line)
    {
        _at = end;
        if (sign == '-') _at = AfterSpace(end);
        else if (line && sign != '+' && Sees(end, "\n")) _at++;
    }

    private void SkipComment(int begin, int inside)
    {
        var end = _source.IndexOf("#}", inside, StringComparison.Ordinal);
        if (end < 0) throw _lines.Fail(begin, "the comment has no end; close it with '#}'");
        Leave(end + 2, end > inside && _source[end - 1] is '-' or '+' ? _source[end - 1] : '\0', line: true);
    }

    private void ReadRaw(int begin, int end, char sign)
    {
        // Unlike other tags this one leaves the line feed behind it where it is.
        Leave(end, sign, line: false);
        for (var tag = _source.IndexOf("{%", _at, StringComparison.Ordinal); tag >= 0; tag = _source.IndexOf("{%", tag + 2, StringComparison.Ordinal))
        {
            var inside = tag + 2;
            var before = Sign(ref inside);
            if (RawTag("endraw", inside) is not { } close) continue;
            AddText(Before(tag, before, print: false));
            Leave(close.End, close.Sign, line: true);
            return;
        }

        throw _lines.Fail(begin, "'raw' has no end; close it with '{% endraw %}'");
    }

    /// <summary>Where the tag of that word and nothing else ends, if it stands here.</summary>
    private (int End, char Sign)? RawTag(string word, int inside)
    {
        var index = AfterSpace(inside);
        if (!Sees(index, word)) return null;
        index = AfterSpace(index + word.Length);
        var sign = Sign(ref index);
        // A plus would keep a line feed, and the opening tag cuts none.
        return Sees(index, "%}") && (sign != '+' || word != "raw") ? (index + 2, sign) : null;
    }
}
