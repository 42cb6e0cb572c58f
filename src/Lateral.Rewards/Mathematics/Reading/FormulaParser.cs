using System.Collections.Immutable;
using Lateral.Rewards.Mathematics.Forms;

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
internal sealed partial class FormulaParser(IReadOnlyList<Token> tokens, int plusMinus = 1)
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

    private Formula.Number? Number()
    {
        if (Next.Kind != TokenKind.Number) return null;
        return new Formula.Number(_tokens[_at++].Value!.Value);
    }

}
