using System.Collections.Immutable;

namespace Lateral.Diffusion.Tokens.Templates;

internal sealed partial class Parser
{
    /// <summary>One expression, or several with commas between them, which are a tuple.</summary>
    /// <param name="inlineIf">whether <c>if</c> may choose here; where it may not it belongs to the tag</param>
    private Expression TupleOrOne(bool inlineIf)
    {
        var at = Current.At;
        var first = One();
        if (!Sees(TokenKind.Operator, ",")) return first;
        var items = ImmutableArray.CreateBuilder<Expression>();
        items.Add(first);
        while (TryTakeOperator(",") && !EndsTuple()) items.Add(One());
        return new ListOf(items.DrainToImmutable(), Tuple: true, at);

        Expression One() => inlineIf ? Condition() : Or();
    }

    private bool EndsTuple() => Current.Kind is TokenKind.PrintEnd or TokenKind.TagEnd || Sees(TokenKind.Operator, ")") || (Current.Kind == TokenKind.Name && Current.Text is "if" or "recursive");

    private Expression Condition()
    {
        Enter();
        var value = Or();
        while (Sees(TokenKind.Name, "if"))
        {
            var at = Take().At;
            var condition = Or();
            value = new Choice(condition, value, TryTakeName("else") ? Condition() : null, at);
        }

        Leave();
        return value;
    }

    private Expression Or()
    {
        var left = And();
        while (SeesName("or"))
        {
            var at = Take().At;
            left = new Binary("or", left, And(), at);
        }

        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (SeesName("and"))
        {
            var at = Take().At;
            left = new Binary("and", left, Not(), at);
        }

        return left;
    }

    private Expression Not()
    {
        if (!SeesName("not")) return Compared();
        Enter();
        var at = Take().At;
        var value = new Unary("not", Not(), at);
        Leave();
        return value;
    }

    private Expression Compared()
    {
        var first = Sum();
        var rest = ImmutableArray.CreateBuilder<(string, Expression)>();
        var at = Current.At;
        while (true)
        {
            if (Current.Kind == TokenKind.Operator && Current.Text is "==" or "!=" or "<" or "<=" or ">" or ">=") rest.Add((Take().Text, Sum()));
            else if (TryTakeName("in")) rest.Add(("in", Sum()));
            else if (SeesName("not") && _tokens[_at + 1] is { Kind: TokenKind.Name, Text: "in" })
            {
                _at += 2;
                rest.Add(("not in", Sum()));
            }
            else return rest.Count == 0 ? first : new Comparison(first, rest.DrainToImmutable(), at);
        }
    }

    private Expression Sum()
    {
        var left = Concatenated();
        while (Current.Kind == TokenKind.Operator && Current.Text is "+" or "-")
        {
            var token = Take();
            left = new Binary(token.Text, left, Concatenated(), token.At);
        }

        return left;
    }

    private Expression Concatenated()
    {
        var first = Product();
        if (!Sees(TokenKind.Operator, "~")) return first;
        var (parts, at) = (ImmutableArray.CreateBuilder<Expression>(), Current.At);
        parts.Add(first);
        while (TryTakeOperator("~")) parts.Add(Product());
        return new Concatenation(parts.DrainToImmutable(), at);
    }

    private Expression Product()
    {
        var left = Power();
        while (Current.Kind == TokenKind.Operator && Current.Text is "*" or "/" or "//" or "%")
        {
            var token = Take();
            left = new Binary(token.Text, left, Power(), token.At);
        }

        return left;
    }

    /// <summary>From left to right, unlike Python's own: <c>2 ** 3 ** 2</c> is 64.</summary>
    private Expression Power()
    {
        var left = Signed(filters: true);
        while (Sees(TokenKind.Operator, "**"))
        {
            var at = Take().At;
            left = new Binary("**", left, Signed(filters: true), at);
        }

        return left;
    }

    /// <summary>A sign comes before filters: <c>-1 | string</c> is the text of minus one.</summary>
    private Expression Signed(bool filters)
    {
        Expression value;
        if (Current.Kind == TokenKind.Operator && Current.Text is "-" or "+")
        {
            Enter();
            var sign = Take();
            value = new Unary(sign.Text, Signed(filters: false), sign.At);
            Leave();
        }
        else value = Primary();

        value = Suffixes(value);
        return filters ? Filters(value, tests: true) : value;
    }
}
