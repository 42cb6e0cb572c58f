using System.Collections.Immutable;
using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Mathematics.Forms;

/// <summary>What an answer is, as far as it is understood.</summary>
internal abstract record Answer
{
    /// <summary>A number or an expression.</summary>
    /// <param name="Unit">its usual name where it is a known one: <c>percent</c>, <c>cm^2</c>; null where there is none, or it is just a word</param>
    public sealed record Value(Formula Formula, string? Unit) : Answer;

    /// <summary><c>x = 5</c>, or an interval that <c>x &gt; 3</c> means.</summary>
    /// <param name="Symbol">the formula that the name is; null for one in words</param>
    public sealed record Named(string Name, Formula? Symbol, Answer Inner) : Answer;

    /// <summary>Without order: <c>1, 2</c>, <c>\{2, 1\}</c>, <c>\pm 3</c>. What stands twice counts once.</summary>
    public sealed record Set(ImmutableArray<Answer> Items) : Answer;

    /// <summary>In order, between brackets that count: a point, or an interval.</summary>
    public sealed record Bracketed(string Open, string Close, ImmutableArray<Answer> Items) : Answer;

    /// <summary>Of intervals or sets, without order.</summary>
    public sealed record Union(ImmutableArray<Answer> Parts) : Answer;

    /// <summary>A matrix or vector, row by row.</summary>
    /// <param name="Kind">matrix, or vmatrix for a determinant</param>
    public sealed record Grid(string Kind, ImmutableArray<ImmutableArray<Answer>> Rows) : Answer;

    /// <summary>A number in a base that is told, <c>101_2</c>. It is its digits that are asked for: 101_2 is neither 5 nor 101.</summary>
    public sealed record Numeral(string Digits, Rational Base) : Answer;

    /// <summary>An equation or an inequality: how the difference of its sides stands to zero.</summary>
    /// <param name="Sign">one of = &lt; &lt;= !=</param>
    public sealed record Relation(string Sign, Formula Difference) : Answer;

    /// <summary>In small letters, with single spaces.</summary>
    public sealed record Words(string Text) : Answer;

    /// <summary>Anything else, compared as it is spelled.</summary>
    public sealed record Spelled(string Text) : Answer;
}
