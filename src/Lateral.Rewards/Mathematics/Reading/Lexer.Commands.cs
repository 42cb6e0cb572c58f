namespace Lateral.Rewards.Mathematics.Reading;

/// <content>What a backslash begins.</content>
internal sealed partial class Lexer
{
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
