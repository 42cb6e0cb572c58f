using System.Collections.Immutable;
using System.Text;

namespace Lateral.Diffusion.Tokens.Templates;

internal sealed partial class Parser
{
    private static object? Constant(string name) => name switch
    {
        "true" or "True" => true,
        "false" or "False" => false,
        "none" or "None" => None.Value,
        _ => null,
    };

    private Expression Primary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Name when !Keywords.Contains(token.Text):
                _at++;
                return Constant(token.Text) is { } constant ? new Literal(constant, token.At) : new Name(token.Text, token.At);
            case TokenKind.Number:
                _at++;
                return new Literal(token.Number!, token.At);
            case TokenKind.String:
                var text = new StringBuilder(Take().Text);
                // Strings that follow one another are one.
                while (Current.Kind == TokenKind.String) text.Append(Take().Text);
                return new Literal(text.ToString(), token.At);
            case TokenKind.Operator when token.Text is "(" or "[" or "{":
                _at++;
                Enter();
                Expression bracketed = token.Text switch { "(" => Parenthesized(token.At), "[" => List(token.At), _ => Dictionary(token.At) };
                Leave();
                return bracketed;
            default:
                throw Due("an expression");
        }
    }

    private Expression Parenthesized(Place at)
    {
        if (TryTakeOperator(")")) return new ListOf([], Tuple: true, at);
        var inner = TupleOrOne(inlineIf: true);
        ExpectOperator(")");
        return inner;
    }

    private ListOf List(Place at)
    {
        var items = ImmutableArray.CreateBuilder<Expression>();
        while (!TryTakeOperator("]"))
        {
            if (items.Count > 0) ExpectOperator(",");
            if (items.Count > 0 && TryTakeOperator("]")) break;
            items.Add(Condition());
        }

        return new(items.DrainToImmutable(), Tuple: false, at);
    }

    private DictionaryOf Dictionary(Place at)
    {
        var entries = ImmutableArray.CreateBuilder<(Expression, Expression)>();
        while (!TryTakeOperator("}"))
        {
            if (entries.Count > 0) ExpectOperator(",");
            if (entries.Count > 0 && TryTakeOperator("}")) break;
            var key = Condition();
            ExpectOperator(":");
            entries.Add((key, Condition()));
        }

        return new(entries.DrainToImmutable(), at);
    }

    /// <summary>Attributes, items and calls.</summary>
    private Expression Suffixes(Expression value)
    {
        while (true)
        {
            var at = Current.At;
            if (TryTakeOperator(".")) value = Dotted(value, at);
            else if (TryTakeOperator("[")) value = Subscript(value, at);
            else if (Sees(TokenKind.Operator, "(")) value = new Call(value, Arguments(), at);
            else return value;
        }
    }

    private Expression Dotted(Expression value, Place at)
    {
        if (Current.Kind == TokenKind.Name) return new Member(value, Take().Text, at);
        return Current is { Kind: TokenKind.Number, Number: long index } ? new Item(value, new Literal(index, Take().At), at) : throw Due("an attribute's name");
    }

    private Expression Subscript(Expression value, Place at)
    {
        Expression? from = Sees(TokenKind.Operator, ":") ? null : Condition(), to = null, step = null;
        var slice = TryTakeOperator(":");
        if (slice)
        {
            to = EndsPart() ? null : Condition();
            if (TryTakeOperator(":")) step = EndsPart() ? null : Condition();
        }

        if (Sees(TokenKind.Operator, ",")) throw Fail(Current.At, "several keys in one pair of brackets are not implemented");
        ExpectOperator("]");
        return slice ? new Slice(value, from, to, step, at) : new Item(value, from!, at);

        bool EndsPart() => Sees(TokenKind.Operator, ":") || Sees(TokenKind.Operator, "]");
    }

    private CallArguments Arguments()
    {
        ExpectOperator("(");
        Enter();
        var positional = ImmutableArray.CreateBuilder<Expression>();
        var named = ImmutableArray.CreateBuilder<(string Name, Expression Value)>();
        while (!TryTakeOperator(")"))
        {
            if (positional.Count + named.Count > 0) ExpectOperator(",");
            if (positional.Count + named.Count == MostArguments) throw Fail(Current.At, $"a call has at most {MostArguments} arguments");
            if (positional.Count + named.Count > 0 && TryTakeOperator(")")) break;
            if (Current.Kind == TokenKind.Operator && Current.Text is "*" or "**") throw Fail(Current.At, $"arguments by '{Current.Text}' are not implemented; write them one by one");
            if (Current.Kind == TokenKind.Name && _tokens[_at + 1] is { Kind: TokenKind.Operator, Text: "=" })
            {
                var name = Take();
                _at++;
                if (named.Any(known => known.Name == name.Text)) throw Fail(name.At, $"the argument '{name.Text}' is given twice");
                named.Add((name.Text, Condition()));
            }
            else if (named.Count > 0) throw Fail(Current.At, "an argument without a name stands behind one with a name");
            else positional.Add(Condition());
        }

        Leave();
        return new(positional.DrainToImmutable(), named.DrainToImmutable());
    }
}
