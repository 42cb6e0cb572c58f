using System.Globalization;
using System.Numerics;

namespace Lateral.Rewards.Arithmetic;

/// <summary>What came of reading an expression.</summary>
public abstract record ParsedExpression
{
    public sealed record Tree(Expression Expression) : ParsedExpression;

    /// <param name="Position">0-based index of the character that does not fit; the text's length where more was expected</param>
    public sealed record Malformed(int Position, string Expected) : ParsedExpression;

    /// <summary>Longer than <see cref="ExpressionParser.MaxLength"/>.</summary>
    public sealed record TooLong : ParsedExpression;

    /// <summary>Nested deeper than <see cref="ExpressionParser.MaxDepth"/>.</summary>
    public sealed record TooDeep : ParsedExpression;
}

/// <summary>
/// Reads integers, + - * /, unary minus and parentheses, with white space between them. Products bind tighter than sums,
/// operators associate to the left, unary minus binds tightest. Never throws: length and nesting are bounded first.
/// <code>
/// sum     = product { ("+" | "-") product }
/// product = factor { ("*" | "/") factor }
/// factor  = "-" factor | digits | "(" sum ")"
/// </code>
/// </summary>
public static class ExpressionParser
{
    /// <summary>Characters read; bounds the size of every number too.</summary>
    public const int MaxLength = 256;

    /// <summary>Parentheses and unary minuses inside one another.</summary>
    public const int MaxDepth = 64;

    public static ParsedExpression Parse(string text)
    {
        if (text.Length > MaxLength) return new ParsedExpression.TooLong();
        var reader = new Reader(text);
        var expression = reader.Sum(0);
        if (expression is not null && !reader.AtEnd) reader.Fail("an operator or the end");
        return reader.Failure ?? new ParsedExpression.Tree(expression!);
    }

    /// <summary>Each rule returns null once <see cref="Failure"/> is set; the first failure stays.</summary>
    private sealed class Reader(string text)
    {
        private int _at;

        public ParsedExpression? Failure { get; private set; }

        public bool AtEnd => Next() == '\0' && _at == text.Length;

        public Expression? Sum(int depth) => Chain(depth, Product, '+', '-');

        public void Fail(string expected) => Failure ??= new ParsedExpression.Malformed(_at, expected);

        private Expression? Product(int depth) => Chain(depth, Factor, '*', '/');

        private Expression? Chain(int depth, Func<int, Expression?> operand, char first, char second)
        {
            var left = operand(depth);
            while (left is not null && (Next() == first || Next() == second))
            {
                var symbol = text[_at++];
                left = operand(depth) is { } right ? new Expression.Operation(symbol, left, right) : null;
            }

            return left;
        }

        private Expression? Factor(int depth)
        {
            if (depth > MaxDepth)
            {
                Failure ??= new ParsedExpression.TooDeep();
                return null;
            }

            switch (Next())
            {
                case '-':
                    _at++;
                    return Factor(depth + 1) is { } operand ? new Expression.Negation(operand) : null;
                case '(':
                    _at++;
                    var inner = Sum(depth + 1);
                    if (inner is null || Next() == ')')
                    {
                        _at++;
                        return inner;
                    }

                    Fail("an operator or ')'");
                    return null;
                case >= '0' and <= '9':
                    var start = _at;
                    while (_at < text.Length && char.IsAsciiDigit(text[_at])) _at++;
                    return new Expression.Literal(BigInteger.Parse(text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture));
                default:
                    Fail("a number, '-' or '('");
                    return null;
            }
        }

        /// <summary>The next character that is not white space, without taking it; NUL at the end.</summary>
        private char Next()
        {
            while (_at < text.Length && char.IsWhiteSpace(text[_at])) _at++;
            return _at < text.Length ? text[_at] : '\0';
        }
    }
}
