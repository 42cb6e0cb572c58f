using System.Numerics;
using CsCheck;
using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Tests.Arithmetic;

public class ExpressionTests
{
    [Theory]
    [InlineData("7", "7")]
    [InlineData("1+2*3", "7")]
    [InlineData("(1+2)*3", "9")]
    [InlineData("8/3/2", "4/3")]
    [InlineData("8/(3/2)", "16/3")]
    [InlineData("2-3-4", "-5")]
    [InlineData("2-(3-4)", "3")]
    [InlineData("2-3+4", "3")]
    [InlineData("6/2*3", "9")]
    [InlineData("-2*3", "-6")]
    [InlineData("2*-3", "-6")]
    [InlineData("3--2", "5")]
    [InlineData("--2", "2")]
    [InlineData("-(2+3)", "-5")]
    [InlineData("1/3+1/6", "1/2")]
    [InlineData("007+1", "8")]
    [InlineData(" 1 +\t2\n", "3")]
    [InlineData("(((7)))", "7")]
    [InlineData("0/5", "0")]
    [InlineData("99999999999999999999*99999999999999999999", "9999999999999999999800000000000000000001")]
    public void Value_must_match_the_table(string text, string value) => Assert.Equal(value, Read(text).Value.ToString());

    [Theory]
    [InlineData("1/0")]
    [InlineData("1/(2-2)")]
    [InlineData("0*(1/0)")]
    [InlineData("3-(4/(2-1-1))")]
    [InlineData("-(1/0)")]
    [InlineData("(1/0)/(1/0)")]
    public void Value_must_be_none_where_something_is_divided_by_zero(string text) => Assert.Null(Read(text).Value);

    [Fact]
    public void Numbers_must_be_the_written_ones_from_left_to_right() =>
        Assert.Equal([3, 100, 7, 7], Read("-(3-100)*7+-7").Numbers);

    [Theory]
    [InlineData("", 0, "a number, '-' or '('")]
    [InlineData("   ", 3, "a number, '-' or '('")]
    [InlineData("1+", 2, "a number, '-' or '('")]
    [InlineData("1+*2", 2, "a number, '-' or '('")]
    [InlineData("1**2", 2, "a number, '-' or '('")]
    [InlineData("1//2", 2, "a number, '-' or '('")]
    [InlineData("+1", 0, "a number, '-' or '('")]
    [InlineData("()", 1, "a number, '-' or '('")]
    [InlineData("-", 1, "a number, '-' or '('")]
    [InlineData("(1", 2, "an operator or ')'")]
    [InlineData("(1 2)", 3, "an operator or ')'")]
    [InlineData("1)", 1, "an operator or the end")]
    [InlineData("1 2", 2, "an operator or the end")]
    [InlineData("1.5", 1, "an operator or the end")]
    [InlineData("1=1", 1, "an operator or the end")]
    [InlineData("2(3)", 1, "an operator or the end")]
    [InlineData("1\0", 1, "an operator or the end")]
    [InlineData("٣+1", 0, "a number, '-' or '('")]
    public void Parse_must_say_where_a_malformed_text_goes_wrong(string text, int position, string expected) =>
        Assert.Equal(new ParsedExpression.Malformed(position, expected), ExpressionParser.Parse(text));

    [Fact]
    public void Parse_must_bound_nesting_and_length()
    {
        Assert.Equal("7", Read(new string('(', 64) + "7" + new string(')', 64)).Value.ToString());
        Assert.Equal("7", Read(new string('-', 64) + "7").Value.ToString());
        Assert.IsType<ParsedExpression.TooDeep>(ExpressionParser.Parse(new string('(', 65) + "7" + new string(')', 65)));
        Assert.IsType<ParsedExpression.TooDeep>(ExpressionParser.Parse(new string('-', 65) + "7"));
        Assert.IsType<ParsedExpression.TooDeep>(ExpressionParser.Parse(new string('(', 256)));

        var sum = string.Join('+', Enumerable.Repeat("1", 128));
        Assert.Equal("128", Read(sum).Value.ToString());
        Assert.Equal("129", Read(sum.Remove(0, 1).Insert(0, "2")).Value.ToString());
        Assert.IsType<ParsedExpression.TooLong>(ExpressionParser.Parse(sum + "+1"));
    }

    [Fact]
    public void Text_must_have_the_fewest_parentheses() =>
        Assert.All(
            ["(3+4)*5-(1-2)", "3+4+5", "3-(4+5)", "2*(3*4)", "2*3*4", "8/(4/2)", "-(3+4)*2", "-3*2", "--3", "2--3", "-(3*4)"],
            text => Assert.Equal(text, Read(text).ToString()));

    [Fact]
    public void Parse_must_undo_ToString_for_every_tree() =>
        Trees(4).Sample(tree =>
        {
            var read = Read(tree.ToString());
            Assert.Equal(tree, read);
            Assert.Equal(Evaluate(tree), Evaluate(read));
        });

    [Fact]
    public void Value_must_equal_the_unreduced_fraction_for_every_tree() =>
        Trees(4).Sample(tree =>
        {
            if (Evaluate(tree) is not var (numerator, denominator)) Assert.Null(tree.Value);
            else Assert.Equal(numerator * tree.Value!.Value.Denominator, tree.Value.Value.Numerator * denominator);
        });

    [Theory]
    [InlineData(new[] { 30, 100, 93 }, 23)]
    [InlineData(new[] { 3, 3, 8, 8 }, 24)]
    [InlineData(new[] { 5, 5, 5, 1 }, 24)]
    [InlineData(new[] { 7 }, 7)]
    public void Solver_must_find_an_expression_of_all_the_numbers(int[] numbers, int target)
    {
        var found = CountdownSolver.Solve(numbers, target)!;
        Assert.Equal(target, Evaluate(found)!.Value.N / Evaluate(found)!.Value.D);
        Assert.Equal(numbers.Order().Select(n => new BigInteger(n)), Read(found.ToString()).Numbers.Order());
        Assert.Equal(found.Value, Read(found.ToString()).Value);
    }

    [Theory]
    [InlineData(new[] { 1, 1, 1 }, 4)]
    [InlineData(new[] { 1, 1, 1, 1 }, 24)]
    [InlineData(new[] { 7 }, 8)]
    [InlineData(new int[0], 0)]
    public void Solver_must_say_so_where_there_is_none(int[] numbers, int target) => Assert.Null(CountdownSolver.Solve(numbers, target));

    private static Expression Read(string text) => Assert.IsType<ParsedExpression.Tree>(ExpressionParser.Parse(text)).Expression;

    private static Gen<Expression> Trees(int depth)
    {
        var literals = Gen.Int[0, 999].Select(n => (Expression)new Expression.Literal(n));
        if (depth == 0) return literals;
        var smaller = Trees(depth - 1);
        return Gen.Frequency(
            (1, literals),
            (1, smaller.Select(operand => (Expression)new Expression.Negation(operand))),
            (4, Gen.Select(Gen.Int[0, 3].Select(i => "+-*/"[i]), smaller, smaller, (s, a, b) => (Expression)new Expression.Operation(s, a, b))));
    }

    /// <summary>A second evaluation that never reduces a fraction.</summary>
    private static (BigInteger N, BigInteger D)? Evaluate(Expression expression)
    {
        switch (expression)
        {
            case Expression.Literal literal: return (literal.Number, 1);
            case Expression.Negation negation: return Evaluate(negation.Operand) is var (n, d) ? (-n, d) : null;
            case Expression.Operation operation:
                if (Evaluate(operation.Left) is not var (a, b) || Evaluate(operation.Right) is not var (p, q)) return null;
                return operation.Symbol switch
                {
                    '+' => (a * q + p * b, b * q),
                    '-' => (a * q - p * b, b * q),
                    '*' => (a * p, b * q),
                    _ => p.IsZero ? null : (a * q, b * p),
                };
            default: throw new NotSupportedException();
        }
    }
}
