using System.Numerics;

namespace Lateral.Rewards.Arithmetic;

/// <summary>An arithmetic expression. Its text has the fewest parentheses that keep its shape: <c>(3+4)*5-(1-2)</c>.</summary>
public abstract record Expression
{
    public sealed record Literal(BigInteger Number) : Expression;

    public sealed record Negation(Expression Operand) : Expression;

    /// <param name="Symbol">one of + - * /</param>
    public sealed record Operation(char Symbol, Expression Left, Expression Right) : Expression;

    /// <summary>The exact value; null where something is divided by zero.</summary>
    public Rational? Value => this switch
    {
        Literal literal => (Rational)literal.Number,
        Negation negation => negation.Operand.Value is { } operand ? -operand : null,
        Operation operation => Apply(operation.Symbol, operation.Left.Value, operation.Right.Value),
        _ => throw new NotSupportedException($"no value for {GetType().Name}"),
    };

    /// <summary>The numbers written in it, from left to right, as they stand: a minus sign is an operation.</summary>
    public IEnumerable<BigInteger> Numbers => this switch
    {
        Literal literal => [literal.Number],
        Negation negation => negation.Operand.Numbers,
        Operation operation => operation.Left.Numbers.Concat(operation.Right.Numbers),
        _ => throw new NotSupportedException($"no numbers for {GetType().Name}"),
    };

    private int Precedence => this switch
    {
        Operation { Symbol: '+' or '-' } => 1,
        Operation => 2,
        _ => 3,
    };

    public sealed override string ToString() => this switch
    {
        Literal literal => literal.Number.ToString(),
        Negation negation => "-" + Text(negation.Operand, 3),
        // Operators are left-associative, so a right operand of the same precedence keeps its parentheses.
        Operation operation => Text(operation.Left, Precedence) + operation.Symbol + Text(operation.Right, Precedence + 1),
        _ => throw new NotSupportedException($"no text for {GetType().Name}"),
    };

    private static string Text(Expression operand, int precedence) =>
        operand.Precedence < precedence ? $"({operand})" : operand.ToString();

    private static Rational? Apply(char symbol, Rational? left, Rational? right)
    {
        if (left is not { } a || right is not { } b) return null;
        return symbol switch
        {
            '+' => a + b,
            '-' => a - b,
            '*' => a * b,
            '/' => a.DividedBy(b),
            _ => throw new NotSupportedException($"no operation '{symbol}'"),
        };
    }
}
