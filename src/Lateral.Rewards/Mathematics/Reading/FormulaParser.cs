using System.Collections.Immutable;
using System.Numerics;
using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Mathematics.Reading;

/// <summary>
/// Reads tokens as one formula, by recursive descent; null where they are none. Nesting is bounded, and every token is read once.
/// <code>
/// sum     = ["+" | "-"] product { ("+" | "-" | "\pm") product }
/// product = factor { ["*" | "/"] factor }
/// factor  = atom { "^" exponent | "!" }
/// </code>
/// </summary>
/// <remarks>
/// <c>3\frac18</c> and <c>3 1/8</c> are mixed numbers, three and an eighth, where the fraction is a proper one of two whole numbers; after anything but a whole number a fraction is a factor.
/// <c>1/2x</c> is (1/2)x, <c>x^12</c> is x^{12}, <c>\frac12</c> is 1/2, and <c>i</c> is the imaginary unit.
/// </remarks>
/// <param name="plusMinus">what <c>\pm</c> stands for, 1 or -1; <c>\mp</c> is the other</param>
internal sealed class FormulaParser(IReadOnlyList<Token> tokens, int plusMinus = 1)
{
    private const int MaxDepth = 120;

    /// <summary>Factors of all products together: each is one more call deep when it is evaluated.</summary>
    private const int MaxChain = 400;

    private readonly List<Token> _tokens = [.. tokens];
    private int _at;
    private int _depth, _chain;
    private bool _insideBars;

    // Tokens that became two: \frac19 has one number where LaTeX sees two.
    private int _split;

    public static Formula? Parse(IReadOnlyList<Token> tokens, int plusMinus = 1)
    {
        var parser = new FormulaParser(tokens, plusMinus);
        return parser.Sum() is { } formula && parser._at == tokens.Count + parser._split ? formula : null;
    }

    private Token Next => _at < _tokens.Count ? _tokens[_at] : default;

    private bool Take(string sign)
    {
        if (!Next.Is(sign)) return false;
        _at++;
        return true;
    }

    private bool TakeCommand(string name)
    {
        if (!Next.IsCommand(name)) return false;
        _at++;
        return true;
    }

    private Formula? Sum()
    {
        if (++_depth > MaxDepth) return null;
        var terms = ImmutableArray.CreateBuilder<Formula>();
        for (var first = true; ; first = false)
        {
            var sign = Sign();
            if (sign == 0 && !first) break;
            if (Product() is not { } term) return null;
            terms.Add(sign < 0 ? new Formula.Negation(term) : term);
        }

        _depth--;
        return terms.Count == 1 ? terms[0] : new Formula.Sum(terms.ToImmutable());
    }

    /// <summary>1, -1, or 0 where there is no sign.</summary>
    private int Sign()
    {
        if (Take("+")) return 1;
        if (Take("-")) return -1;
        if (TakeCommand("pm")) return plusMinus;
        return TakeCommand("mp") ? -plusMinus : 0;
    }

    private Formula? Product()
    {
        if (Factor() is not { } product) return null;
        while (true)
        {
            var written = Next.Is("*") || Next.Is("/");
            if (!written && !Begins(Next)) return product;
            var divided = written && _tokens[_at++].Text == "/";
            // Two numbers side by side are no product.
            if (!written && Next.Kind == TokenKind.Number && _tokens[_at - 1].Kind == TokenKind.Number) return null;
            var negative = written && Take("-");
            if (Factor() is not { } factor) return null;
            if (negative) factor = new Formula.Negation(factor);
            product = divided ? new Formula.Quotient(product, factor) : new Formula.Product([product, factor]);
            if (++_chain > MaxChain) return null;
        }
    }

    private bool Begins(Token token) => token.Kind switch
    {
        TokenKind.Number or TokenKind.Letter => true,
        TokenKind.Sign => token.Text is "(" or "[" or "{" || (token.Text == "|" && !_insideBars),
        TokenKind.Command => token.Text is "frac" or "sqrt" or "binom" or "lfloor" or "lceil" || IsName(token),
        _ => false,
    };

    private static bool IsName(Token token) => Vocabulary.Greek.Contains(token.Text) || Vocabulary.Functions.Contains(token.Text) || token.Text.StartsWith("mathbb:", StringComparison.Ordinal);

    private Formula? Factor()
    {
        if (++_depth > MaxDepth || Atom() is not { } factor) return null;
        while (true)
        {
            if (Take("!")) factor = new Formula.Function("factorial", [factor]);
            else if (Take("^"))
            {
                if (Exponent() is not { } exponent) return null;
                factor = new Formula.Power(factor, exponent);
            }
            else break;
            if (++_chain > MaxChain) return null;
        }

        _depth--;
        return factor;
    }

    private Formula? Exponent()
    {
        if (Take("-")) return Factor() is { } factor ? new Formula.Negation(factor) : null;
        // x^2\frac12 has no mixed number.
        return (Formula?)Number() ?? Atom();
    }

    private Formula? Atom()
    {
        var token = Next;
        _at++;
        switch (token.Kind)
        {
            case TokenKind.Number:
                return (Formula?)Mixed(token) ?? new Formula.Number(token.Value!.Value);
            case TokenKind.Letter:
                return Subscripted(token.Text);
            case TokenKind.Sign:
                return token.Text switch
                {
                    "(" => Until(")"),
                    "[" => Until("]"),
                    "{" => Until("}"),
                    "|" when !_insideBars => Bars(),
                    _ => null,
                };
            case TokenKind.Command:
                return Command(token.Text);
            default:
                return null;
        }
    }

    private Formula? Until(string close)
    {
        var bars = _insideBars;
        _insideBars = false;
        var inner = Sum();
        _insideBars = bars;
        return Take(close) ? inner : null;
    }

    private Formula? Bars()
    {
        _insideBars = true;
        var inner = Sum();
        _insideBars = false;
        return Take("|") && inner is not null ? new Formula.Function("abs", [inner]) : null;
    }

    /// <summary>A whole number with a proper fraction behind it; null where there is none. Looks ahead without reading, so that nested fractions are read once.</summary>
    private Formula.Sum? Mixed(Token whole)
    {
        if (!whole.Text.All(char.IsAsciiDigit)) return null;
        var (at, digit) = (_at, 0);
        if (Ahead(at).IsCommand("frac"))
        {
            at++;
            return Small(ref at, ref digit) is { } over && Small(ref at, ref digit) is { } under && digit == 0 && !Ahead(at).Is("^") ? With(over, under) : null;
        }

        if (!Ahead(at).Spaced || Plain(at) is not { } numerator || !Ahead(at + 1).Is("/") || Plain(at + 2) is not { } denominator) return null;
        at += 3;
        return With(numerator, denominator);

        Formula.Sum? With(Rational over, Rational under)
        {
            if (over.Sign <= 0 || (under - over).Sign <= 0) return null;
            _at = at;
            return new Formula.Sum([new Formula.Number(whole.Value!.Value), new Formula.Quotient(new Formula.Number(over), new Formula.Number(under))]);
        }
    }

    private Token Ahead(int at) => at < _tokens.Count ? _tokens[at] : default;

    private Rational? Plain(int at) => Ahead(at) is { Kind: TokenKind.Number } token && token.Text.All(char.IsAsciiDigit) ? token.Value : null;

    /// <summary>A fraction's numerator or denominator that is a whole number: in braces, or one digit of a number.</summary>
    private Rational? Small(ref int at, ref int digit)
    {
        if (digit == 0 && Ahead(at).Is("{") && Plain(at + 1) is { } number && Ahead(at + 2).Is("}"))
        {
            at += 3;
            return number;
        }

        if (Plain(at) is null) return null;
        var text = Ahead(at).Text;
        var value = Decimals.Read(text.AsSpan(digit, 1));
        if (++digit == text.Length) (at, digit) = (at + 1, 0);
        return value;
    }

    private Formula.Number? Number()
    {
        if (Next.Kind != TokenKind.Number) return null;
        return new Formula.Number(_tokens[_at++].Value!.Value);
    }

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
