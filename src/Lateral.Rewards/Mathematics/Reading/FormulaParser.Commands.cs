using System.Numerics;
using Lateral.Rewards.Arithmetic;
using Lateral.Rewards.Mathematics.Forms;

namespace Lateral.Rewards.Mathematics.Reading;

/// <content>Commands and what they are applied to.</content>
internal sealed partial class FormulaParser
{
    /// <summary>What a command is applied to: a group, or one token, of a number its first digit.</summary>
    private Formula? Argument()
    {
        if (Next.Kind == TokenKind.Number && Next.Text.Length > 1 && Next.Text.All(char.IsAsciiDigit))
        {
            var digits = Next.Text;
            _tokens[_at] = Digits(digits[..1], Next.Spaced);
            _tokens.Insert(_at + 1, Digits(digits[1..], false));
            _split++;
        }

        // Without what a mixed number would take from behind it.
        if (Number() is { } number) return number;
        if (++_depth > MaxDepth) return null;
        var argument = Atom();
        _depth--;
        return argument;
    }

    private static Token Digits(string text, bool spaced) => new(TokenKind.Number, text, spaced) { Value = Decimals.Read(text) };

    private Formula? Command(string name)
    {
        switch (name)
        {
            case "frac":
                return Argument() is { } over && Argument() is { } under ? new Formula.Quotient(over, under) : null;
            case "binom":
                return Argument() is { } n && Argument() is { } k ? new Formula.Function("binom", [n, k]) : null;
            case "sqrt":
                var degree = Take("[") ? Until("]") : Formula.Whole(2);
                // \sqrt12 is the root of twelve: nobody means the other.
                return degree is not null && ((Formula?)Number() ?? Argument()) is { } radicand ? Formula.Root(radicand, degree) : null;
            case "lfloor":
                return Sum() is { } low && TakeCommand("rfloor") ? new Formula.Function("floor", [low]) : null;
            case "lceil":
                return Sum() is { } high && TakeCommand("rceil") ? new Formula.Function("ceil", [high]) : null;
            default:
                if (Vocabulary.Functions.Contains(name)) return Function(name);
                return IsName(new Token(TokenKind.Command, name, false)) ? Subscripted(name) : null;
        }
    }

    /// <summary>\sin^2 x, \log_2 8, \arcsin x written as \sin^{-1} x. Without brackets a function takes the factors up to the next sign.</summary>
    private Formula? Function(string name)
    {
        if (++_depth > MaxDepth) return null;
        Formula? power = null, subscript = null;
        while (Next.Is("^") || Next.Is("_"))
        {
            var above = _tokens[_at++].Text == "^";
            if ((above ? power : subscript) is not null || (above ? Exponent() : Argument()) is not { } attached) return null;
            if (above) power = attached;
            else subscript = attached;
        }

        if (name is "sin" or "cos" or "tan" && power is Formula.Negation { Operand: Formula.Number { Value: var one } } && one == (Rational)BigInteger.One) (name, power) = ($"arc{name}", null);
        if ((Next.Is("(") || Next.Is("{") ? Atom() : Factors()) is not { } argument) return null;
        Formula value = name switch
        {
            "exp" => new Formula.Power(new Formula.Symbol("e"), argument),
            "log" when subscript is not null => new Formula.Function(name, [subscript, argument]),
            _ => new Formula.Function(name, [argument]),
        };
        if (subscript is not null && name != "log") return null;
        _depth--;
        return power is null ? value : new Formula.Power(value, power);
    }

    private Formula? Factors()
    {
        var negative = Take("-");
        if (Factor() is not { } product) return null;
        while (Begins(Next) && !Vocabulary.Functions.Contains(Next.Text) && !Next.Is("(") && !Next.Is("["))
        {
            if (Factor() is not { } factor || ++_chain > MaxChain) return null;
            product = new Formula.Product([product, factor]);
        }

        return negative ? new Formula.Negation(product) : product;
    }

    /// <summary>x_1 and x_{12} are names.</summary>
    private Formula? Subscripted(string name)
    {
        if (!Take("_")) return new Formula.Symbol(name);
        if (Next.Kind is TokenKind.Number or TokenKind.Letter) return new Formula.Symbol($"{name}_{_tokens[_at++].Text}");
        if (!Take("{")) return null;
        var end = _tokens.FindIndex(_at, token => token.Is("}"));
        if (end < 0) return null;
        var subscript = string.Concat(_tokens[_at..end].Select(token => token.Text));
        _at = end + 1;
        return new Formula.Symbol($"{name}_{subscript}");
    }
}
