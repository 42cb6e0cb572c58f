using System.Globalization;
using System.Text;

namespace Lateral.Rewards.Mathematics.Reading;

/// <summary>
/// Cuts an answer in LaTeX, or in what people write for it, into tokens, without what only sets the type. One pass from left to right.
/// </summary>
/// <remarks>
/// <c>1,234</c> is a thousand and more outside round, square and set brackets, and two numbers inside them; <c>1{,}234</c> and <c>1,\!234</c> are one number everywhere, <c>1, 234</c> are two.
/// </remarks>
internal sealed class Lexer
{
    private readonly string _text;
    private readonly List<Token> _tokens = [];
    private int _at;
    private int _brackets;
    private bool _spaced;

    private Lexer(string text) => _text = text;

    /// <returns>null where a character is no part of any answer</returns>
    public static IReadOnlyList<Token>? Read(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (!char.IsAscii(character) && Vocabulary.Characters.TryGetValue(character.ToString(), out var latex)) plain.Append(latex);
            else plain.Append(character);
        }

        var lexer = new Lexer(plain.ToString());
        while (lexer._at < lexer._text.Length)
            if (!lexer.Step()) return null;
        return lexer._tokens;
    }

    private char Next(int ahead = 0) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    private bool Add(TokenKind kind, string text)
    {
        var token = new Token(kind, text, _spaced);
        if (kind == TokenKind.Sign && text is "(" or "[" or @"\{" or ")" or "]" or @"\}") _brackets += token.Nesting;
        _tokens.Add(token);
        _spaced = false;
        return true;
    }

    private bool Step()
    {
        var character = Next();
        if (char.IsWhiteSpace(character) || character is '~' or '$')
        {
            // A dollar sign in the plain is LaTeX's own; \$ is the currency.
            _spaced = true;
            _at++;
            return true;
        }

        if (char.IsAsciiDigit(character) || (character == '.' && char.IsAsciiDigit(Next(1)))) return Number();
        if (char.IsAsciiLetter(character)) return Letters();
        if (character == '\\') return Command();
        if (character == '%') return Unit(1, "percent");
        if (character == '^' && Circle() is var length and > 0) return Unit(length, "degree");
        var two = _text.AsSpan(_at, Math.Min(2, _text.Length - _at));
        if (two is "<=" or ">=" or "!=" or "**")
        {
            var sign = two is "**" ? "^" : two.ToString();
            _at += 2;
            return Add(TokenKind.Sign, sign);
        }

        if (!"+-*/^_=<>()[]{},;:|!.&'".Contains(character, StringComparison.Ordinal)) return false;
        _at++;
        return Add(TokenKind.Sign, character.ToString());
    }

    private bool Unit(int length, string name)
    {
        _at += length;
        return Add(TokenKind.Unit, name);
    }

    /// <summary>How long what makes a degree of a number is; 0 where it is something else.</summary>
    private int Circle()
    {
        foreach (var form in (string[])[@"^{\circ}", @"^\circ", @"^{ \circ }", @"^ \circ", @"^{\degree}"])
            if (string.CompareOrdinal(_text, _at, form, 0, form.Length) == 0) return form.Length;
        return 0;
    }

    private bool Number()
    {
        var start = _at;
        var digits = new StringBuilder();
        void Take()
        {
            while (char.IsAsciiDigit(Next())) digits.Append(_text[_at++]);
        }

        Take();
        // No more than three digits stand before the first separator.
        while (digits.Length > 0 && (digits.Length <= 3 || _at > start + digits.Length) && Separator() is var length and > 0)
        {
            _at += length;
            Take();
        }

        if (Next() == '.' && char.IsAsciiDigit(Next(1)))
        {
            digits.Append('.');
            _at++;
            Take();
        }

        var (shift, repeated) = (Exponent(), digits.ToString().Contains('.', StringComparison.Ordinal) || Next() == '.' ? Repeated(digits) : "");
        if (Decimals.Read(digits.ToString(), shift, repeated) is not { } value) return false;
        Add(TokenKind.Number, shift == 0 && repeated.Length == 0 ? digits.ToString() : _text[start.._at]);
        _tokens[^1] = _tokens[^1] with { Value = value };
        return true;
    }

    /// <summary>How long a separator of thousands is: what stands between digits and exactly three more.</summary>
    private int Separator()
    {
        foreach (var form in (string[])[@",\!", "{,}", @"\,", ","])
        {
            if (string.CompareOrdinal(_text, _at, form, 0, form.Length) != 0 || (form == "," && _brackets > 0)) continue;
            var three = Enumerable.Range(form.Length, 3).All(ahead => char.IsAsciiDigit(Next(ahead))) && !char.IsAsciiDigit(Next(form.Length + 3));
            return three ? form.Length : 0;
        }

        return 0;
    }

    /// <summary>1.5e-3.</summary>
    private int Exponent()
    {
        if (Next() is not ('e' or 'E')) return 0;
        var begin = Next(1) is '+' or '-' ? 2 : 1;
        var end = begin;
        while (char.IsAsciiDigit(Next(end))) end++;
        if (end == begin || char.IsAsciiLetter(Next(end)) || !int.TryParse(_text.AsSpan(_at + 1, end - 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var shift)) return 0;
        _at += end;
        return shift;
    }

    /// <summary>0.1\overline{6}.</summary>
    private string Repeated(StringBuilder digits)
    {
        var point = Next() == '.' ? 1 : 0;
        foreach (var form in (string[])[@"\overline{", @"\bar{", @"\dot{"])
        {
            if (string.CompareOrdinal(_text, _at + point, form, 0, form.Length) != 0) continue;
            var begin = _at + point + form.Length;
            var end = _text.IndexOf('}', begin);
            if (end < 0 || end == begin || !_text[begin..end].All(char.IsAsciiDigit)) return "";
            if (point > 0) digits.Append('.');
            _at = end + 1;
            return _text[begin..end];
        }

        return "";
    }

    private bool Letters()
    {
        var start = _at;
        while (char.IsAsciiLetter(Next())) _at++;
        var run = _text[start.._at];
        var spaced = _spaced || _tokens.Count == 0;
        if (run.Length > 1 && Vocabulary.Names.TryGetValue(run, out var name)) return Add(TokenKind.Command, name);
        if (run is "and" or "or" || run.Length > 3 || (run.Length == 3 && spaced) || (run.Length == 2 && _tokens.Count > 0 && _tokens[^1].Kind == TokenKind.Number && Vocabulary.Unit(run) is not null)) return Add(TokenKind.Words, run);
        foreach (var letter in run) Add(TokenKind.Letter, letter.ToString());
        return true;
    }

    private bool Command()
    {
        var start = ++_at;
        while (char.IsAsciiLetter(Next())) _at++;
        if (_at == start) return Escaped();
        var name = _text[start.._at];
        if (Vocabulary.Silent.Contains(name))
        {
            // \left. is a bracket that is not there.
            if (name is "left" or "right" && Next() == '.') _at++;
            return true;
        }

        if (Vocabulary.Text.Contains(name)) return Group() is { } held && Text(held, name);
        if (name is "begin" or "end") return Group() is { } environment && Add(TokenKind.Command, $"{name}:{environment.TrimEnd('*')}");
        if (name is "mathbb" or "mathcal") return Group() is { } letter && Add(TokenKind.Command, $"{name}:{letter}");
        if (name is "dfrac" or "tfrac" or "cfrac") name = "frac";
        if (name is "dbinom" or "tbinom") name = "binom";
        if (name is "circ" or "degree") return Add(TokenKind.Unit, "degree");
        return Vocabulary.Signs.TryGetValue(name, out var sign) ? Add(TokenKind.Sign, sign) : Add(TokenKind.Command, name);
    }

    /// <summary>A backslash before a sign.</summary>
    private bool Escaped()
    {
        var character = Next();
        _at++;
        switch (character)
        {
            case '!' or ',' or ';' or ':' or ' ' or '>' or '\n':
                _spaced = true;
                return true;
            case '$':
                return Add(TokenKind.Unit, "dollar");
            case '%':
                return Add(TokenKind.Unit, "percent");
            case '{' or '}' or '\\':
                return Add(TokenKind.Sign, $@"\{character}");
            case '|':
                return Add(TokenKind.Sign, "|");
            default:
                return false;
        }
    }

    /// <summary>What stands between the braces that follow; null where there are none, or they hold others.</summary>
    private string? Group()
    {
        while (Next() == ' ') _at++;
        if (Next() != '{') return null;
        var end = _text.IndexOf('}', _at);
        if (end < 0) return null;
        var held = _text[(_at + 1)..end];
        _at = end + 1;
        return held.Contains('{', StringComparison.Ordinal) ? null : held;
    }

    /// <summary>Upright e and i are the numbers; other text is words.</summary>
    private bool Text(string held, string command)
    {
        var word = held.Trim();
        if (command is "mathrm" or "operatorname" && Vocabulary.Names.TryGetValue(word, out var name)) return Add(TokenKind.Command, name);
        return word is "e" or "i" && command is "mathrm" ? Add(TokenKind.Letter, word) : word.Length == 0 || Add(TokenKind.Words, word);
    }
}
