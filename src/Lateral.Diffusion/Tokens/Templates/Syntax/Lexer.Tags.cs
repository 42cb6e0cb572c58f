using System.Globalization;

namespace Lateral.Diffusion.Tokens.Templates;

internal sealed partial class Lexer
{
    /// <summary>Names stand in messages, which are made even where nobody reads them.</summary>
    public const int LongestName = 200;

    private static readonly string[] Operators = ["**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ":", "|", ",", "(", ")", "[", "]", "{", "}"];

    /// <summary>Everything between a tag's begin and its end. Inside a bracket nothing ends a tag: <c>{{ {'a': {}} }}</c>.</summary>
    private void ReadTag(int begin, int inside, bool print)
    {
        Add(print ? TokenKind.PrintBegin : TokenKind.TagBegin, print ? "{{" : "{%", begin);
        var due = new Stack<char>();
        for (_at = AfterSpace(inside); _at < _source.Length; _at = AfterSpace(_at))
        {
            if (due.Count == 0 && TagEnd(print) is { } end)
            {
                Add(print ? TokenKind.PrintEnd : TokenKind.TagEnd, print ? "}}" : "%}", _at);
                Leave(end.End, end.Sign, line: !print);
                return;
            }

            ReadToken(due);
        }

        throw _lines.Fail(begin, due.Count > 0 ? $"the tag has no end: '{due.Peek()}' is missing" : print ? "the tag has no end; close it with '}}'" : "the tag has no end; close it with '%}'");
    }

    private (int End, char Sign)? TagEnd(bool print)
    {
        var index = _at;
        var sign = Sign(ref index);
        return Sees(index, print ? "}}" : "%}") && !(print && sign == '+') ? (index + 2, sign) : null;
    }

    private void ReadToken(Stack<char> due)
    {
        var first = _source[_at];
        if (first is '\'' or '"') ReadString(first);
        else if (char.IsAsciiDigit(first)) ReadNumber();
        else if (IsNamePart(first)) ReadName();
        else if (Array.Find(Operators, known => Sees(_at, known)) is { } known) ReadOperator(known, due);
        else throw _lines.Fail(_at, $"the character {(char.IsControl(first) || char.IsSurrogate(first) ? $"U+{(int)first:X4}" : $"'{first}'")} means nothing in a tag");
    }

    private static bool IsNamePart(char character) => character == '_' || char.IsLetterOrDigit(character) || CharUnicodeInfo.GetUnicodeCategory(character) == UnicodeCategory.NonSpacingMark;

    private void ReadName()
    {
        var begin = _at;
        while (_at < _source.Length && IsNamePart(_source[_at])) _at++;
        if (_at - begin > LongestName) throw _lines.Fail(begin, $"a name has at most {LongestName} characters");
        Add(TokenKind.Name, _source[begin.._at], begin);
    }

    private void ReadOperator(string known, Stack<char> due)
    {
        if (known is "(" or "[" or "{") due.Push(known[0] == '(' ? ')' : known[0] == '[' ? ']' : '}');
        if (known is ")" or "]" or "}" && (!due.TryPop(out var closing) || closing != known[0])) throw _lines.Fail(_at, $"'{known}' closes nothing that is open here");
        Add(TokenKind.Operator, known, _at);
        _at += known.Length;
    }

    private void ReadString(char quote)
    {
        var begin = _at++;
        while (_at < _source.Length && _source[_at] != quote) _at += _source[_at] == '\\' ? 2 : 1;
        if (_at >= _source.Length) throw _lines.Fail(begin, $"the string has no end; close it with {quote}");
        Add(TokenKind.String, StringLiteral.Meaning(_source[(begin + 1).._at], (offset, mistake) => _lines.Fail(begin + 1 + offset, mistake)), begin);
        _at++;
    }

    private void ReadNumber()
    {
        var begin = _at;
        // Behind a point stands an index: a.0.1 is no a.(0.1).
        var whole = begin > 0 && _source[begin - 1] == '.';
        if (_source[begin] == '0' && begin + 1 < _source.Length && _source[begin + 1] is 'x' or 'X' or 'b' or 'B' or 'o' or 'O') throw _lines.Fail(begin, "only decimal numbers are implemented");
        SkipDigits();
        if (!whole && _at + 1 < _source.Length && _source[_at] == '.' && char.IsAsciiDigit(_source[_at + 1])) Fraction(1);
        if (!whole && _at < _source.Length && _source[_at] is 'e' or 'E')
        {
            var digits = _at + 1 < _source.Length && _source[_at + 1] is '+' or '-' ? 2 : 1;
            if (_at + digits < _source.Length && char.IsAsciiDigit(_source[_at + digits])) Fraction(digits);
        }

        var text = _source[begin.._at];
        var plain = text.Replace("_", "", StringComparison.Ordinal);
        if (text.EndsWith('_') || text.Contains("__", StringComparison.Ordinal)) throw _lines.Fail(begin, $"{text} is no number");
        if (plain.AsSpan().IndexOfAnyExceptInRange('0', '9') >= 0) Add(TokenKind.Number, text, begin, double.Parse(plain, NumberStyles.Float, CultureInfo.InvariantCulture));
        else if (plain.Length > 1 && plain[0] == '0' && plain.Trim('0').Length > 0) throw _lines.Fail(begin, $"{text} is no number: it begins with a zero");
        else if (long.TryParse(plain, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) Add(TokenKind.Number, text, begin, number);
        else throw _lines.Fail(begin, $"{text} does not fit into 64 bits");

        void SkipDigits()
        {
            while (_at < _source.Length && (char.IsAsciiDigit(_source[_at]) || _source[_at] == '_')) _at++;
        }

        void Fraction(int before)
        {
            _at += before;
            SkipDigits();
        }
    }
}
