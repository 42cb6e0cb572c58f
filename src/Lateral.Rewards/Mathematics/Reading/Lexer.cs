using System.Text;

namespace Lateral.Rewards.Mathematics.Reading;

/// <summary>
/// Cuts an answer in LaTeX, or in what people write for it, into tokens, without what only sets the type. One pass from left to right.
/// </summary>
/// <remarks>
/// <c>1,234</c> is a thousand and more outside round, square and set brackets, and two numbers inside them; <c>1{,}234</c> and <c>1,\!234</c> are one number everywhere, <c>1, 234</c> are two.
/// </remarks>
internal sealed partial class Lexer
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

}
