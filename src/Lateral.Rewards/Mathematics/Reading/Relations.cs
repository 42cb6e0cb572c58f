using System.Collections.Immutable;
using System.Numerics;
using Lateral.Rewards.Mathematics.Forms;

namespace Lateral.Rewards.Mathematics.Reading;

/// <summary>Equations and inequalities: <c>x = 5</c> names what it says, <c>1 &lt; x \le 3</c> is the interval (1, 3], others stand as they are.</summary>
internal static class Relations
{
    private static readonly Formula Infinity = new Formula.Symbol("infty");

    /// <param name="sides">one more than signs</param>
    /// <returns>null where a side is no formula</returns>
    public static Answer? Read(IReadOnlyList<IReadOnlyList<Token>> sides, IReadOnlyList<string> signs, Func<IReadOnlyList<Token>, Answer> read)
    {
        var (first, last) = (sides[0], sides[^1]);
        if (signs.All(sign => sign is "=" or "in"))
        {
            if (Name(first) is { } name) return Named(name, first, Agreeing(sides.Skip(1), read));
            if (signs is ["="] && Name(last) is { } other) return Named(other, last, read(first));
            // 3/4 = 0.75 is a number twice.
            if (sides.All(IsNumber)) return Agreeing(sides, read);
        }

        if (signs is [var sign2] && sign2 != "in" && FormulaParser.Parse(first) is { } left && FormulaParser.Parse(last) is { } right)
        {
            if (Interval(left, sign2, right) is { } ray) return ray;
            return sign2 is ">" or ">=" ? Relation(sign2.Replace('>', '<'), right, left) : Relation(sign2, left, right);
        }

        return signs is [var low, var high] && FormulaParser.Parse(first) is { } from && FormulaParser.Parse(sides[1]) is Formula.Symbol middle && FormulaParser.Parse(last) is { } to
            ? (low[0], high[0]) switch
            {
                ('<', '<') => Interval(middle, from, low == "<", to, high == "<"),
                ('>', '>') => Interval(middle, to, high == ">", from, low == ">"),
                _ => null,
            }
            : null;
    }

    /// <summary>What a chain of sides comes to: its last one, and every other that is a number, so that 1 = 5 is neither.</summary>
    private static Answer Agreeing(IEnumerable<IReadOnlyList<Token>> sides, Func<IReadOnlyList<Token>, Answer> read) => sides.ToList() switch
    {
        [var only] => read(only),
        [.., var last] told when IsNumber(last) => new Answer.Set([.. told.Where(IsNumber).Select(read)]),
        var told => read(told[^1]),
    };

    private static bool IsNumber(IReadOnlyList<Token> side) =>
        side.All(token => token.Kind switch { TokenKind.Letter => token.Text is "e" or "i", TokenKind.Command => token.Text == "pi" || !Vocabulary.Greek.Contains(token.Text), _ => true });

    private static Answer.Named Named(string name, IReadOnlyList<Token> side, Answer inner) => new(name, FormulaParser.Parse(side) as Formula.Symbol, inner);

    /// <summary>What a side is called that is a variable, a function of one, words, or a point of variables; null for any other.</summary>
    private static string? Name(IReadOnlyList<Token> side)
    {
        var plain = side.Where(token => token.Kind != TokenKind.Sign || token.Text is not ("{" or "}")).ToList();
        var named = plain switch
        {
            [{ Kind: TokenKind.Words }] => true,
            _ when FormulaParser.Parse(side) is Formula.Symbol { Name: not ("pi" or "e" or "i" or "infty") } => true,
            [{ Kind: TokenKind.Letter }, var open, .., var close] when open.Is("(") && close.Is(")") && plain.Skip(2).SkipLast(1).All(IsVariable) => true,
            [{ Kind: TokenKind.Letter }, var raised, var minus, { Text: "1" }, var open, var of, var close] when raised.Is("^") && minus.Is("-") && open.Is("(") && IsVariable(of) && close.Is(")") => true,
            [var open, _, .., var close] when open.Is("(") && close.Is(")") && plain.Skip(1).SkipLast(1).All(IsVariable) => true,
            _ => false,
        };
        return named ? string.Concat(plain.Select(token => token.Text)) : null;
    }

    private static bool IsVariable(Token token) => token.Kind == TokenKind.Letter || token.Is(",");

    private static Answer.Relation Relation(string sign, Formula left, Formula right) => new(sign, new Formula.Sum([left, new Formula.Negation(right)]));

    private static Answer.Named? Interval(Formula left, string sign, Formula right)
    {
        var (below, open) = (sign[0] == '<', sign.Length == 1);
        if (sign is "=" or "!=") return null;
        if (left is Formula.Symbol variable) return below ? Interval(variable, new Formula.Negation(Infinity), true, right, open) : Interval(variable, right, open, Infinity, true);
        return right is Formula.Symbol other ? below ? Interval(other, left, open, Infinity, true) : Interval(other, new Formula.Negation(Infinity), true, left, open) : null;
    }

    private static Answer.Named Interval(Formula.Symbol variable, Formula from, bool fromOpen, Formula to, bool toOpen) =>
        new(variable.Name, variable, new Answer.Bracketed(fromOpen ? "(" : "[", toOpen ? ")" : "]", [new Answer.Value(from, null), new Answer.Value(to, null)]));
}
