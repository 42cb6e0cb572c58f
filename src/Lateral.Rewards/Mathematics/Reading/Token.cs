using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Mathematics.Reading;

internal enum TokenKind
{
    /// <summary>What stands behind the last one.</summary>
    None,

    /// <summary>A decimal number; its text has the digits as they stand.</summary>
    Number,

    /// <summary>One letter.</summary>
    Letter,

    /// <summary>A LaTeX command or the name of a function, without the backslash.</summary>
    Command,

    /// <summary>An operator, bracket or separator; <c>\{</c> and <c>\}</c> are "\{" and "\}", braces that group are "{" and "}".</summary>
    Sign,

    /// <summary>What a sign or word says about a number that is no part of it: <c>%</c>, a degree, a currency.</summary>
    Unit,

    /// <summary>Text between formulas.</summary>
    Words,
}

/// <param name="Spaced">white space stands before it</param>
internal readonly record struct Token(TokenKind Kind, string Text, bool Spaced)
{
    /// <summary>A number's value.</summary>
    public Rational? Value { get; init; }

    public bool Is(string sign) => Kind == TokenKind.Sign && Text == sign;

    public bool IsCommand(string name) => Kind == TokenKind.Command && Text == name;

    /// <summary>1 for what opens a bracket, -1 for what closes one.</summary>
    public int Nesting => Kind switch
    {
        TokenKind.Sign => Text switch { "(" or "[" or "{" or @"\{" or "⟨" => 1, ")" or "]" or "}" or @"\}" or "⟩" => -1, _ => 0 },
        TokenKind.Command => Text.StartsWith("begin:", StringComparison.Ordinal) ? 1 : Text.StartsWith("end:", StringComparison.Ordinal) ? -1 : 0,
        _ => 0,
    };
}
