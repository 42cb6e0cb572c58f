using System.Collections.Immutable;
using Lateral.Rewards.Mathematics.Algebra;
using Lateral.Rewards.Mathematics.Forms;

namespace Lateral.Rewards.Mathematics;

/// <summary>Whether two answers that are spelled differently are the same.</summary>
internal sealed class Equality(Budget budget)
{
    public bool Same(Answer a, Answer b) => !budget.Spent && (a, b) switch
    {
        (Answer.Value left, Answer.Value right) => (left.Unit ?? right.Unit) == (right.Unit ?? left.Unit) && Same(left.Formula, right.Formula),
        // x = y is y = x; x = 5 is not k = 5.
        (Answer.Named left, Answer.Named right) => left.Name == right.Name ? Same(left.Inner, right.Inner) : Equation(left) is { } first && Equation(right) is { } second && Same(first, second),
        (Answer.Named left, Answer.Relation right) => Equation(left) is { } equation && Same(equation, right),
        (Answer.Relation left, Answer.Named right) => Equation(right) is { } equation && Same(left, equation),
        (Answer.Named left, var right) => Same(left.Inner, right),
        (var left, Answer.Named right) => Same(left, right.Inner),
        (Answer.Set left, Answer.Set right) => SameInAnyOrder(left.Items, right.Items),
        // A set whose items are all the same is what they are.
        (Answer.Set left, var right) => left.Items.Length > 0 && left.Items.All(item => Same(item, right)),
        (var left, Answer.Set right) => right.Items.Length > 0 && right.Items.All(item => Same(left, item)),
        (Answer.Union left, Answer.Union right) => SameInAnyOrder(left.Parts, right.Parts),
        (Answer.Bracketed left, Answer.Bracketed right) => left.Open == right.Open && left.Close == right.Close && SameInOrder(left.Items, right.Items),
        (Answer.Grid left, Answer.Grid right) => left.Kind == right.Kind && left.Rows.Length == right.Rows.Length && left.Rows.Zip(right.Rows).All(pair => SameInOrder(pair.First, pair.Second)),
        (Answer.Relation left, Answer.Relation right) => left.Sign == right.Sign && new NormalForm(budget).Proportional(left.Difference, right.Difference, positive: left.Sign[0] == '<'),
        (Answer.Numeral left, Answer.Numeral right) => left == right,
        (Answer.Words left, Answer.Words right) => left == right,
        (Answer.Spelled left, Answer.Spelled right) => left == right,
        _ => false,
    };

    private static Answer.Relation? Equation(Answer.Named named) =>
        named is { Symbol: { } symbol, Inner: Answer.Value { Formula: var formula } } ? new("=", new Formula.Sum([symbol, new Formula.Negation(formula)])) : null;

    // Atoms are numbered anew in each comparison: what they are is only known inside one.
    private bool Same(Formula a, Formula b) => new NormalForm(budget).Same(a, b);

    private bool SameInOrder(ImmutableArray<Answer> left, ImmutableArray<Answer> right) => left.Length == right.Length && left.Zip(right).All(pair => Same(pair.First, pair.Second));

    private bool SameInAnyOrder(ImmutableArray<Answer> left, ImmutableArray<Answer> right) =>
        left.All(item => right.Any(other => Same(item, other))) && right.All(item => left.Any(other => Same(item, other)));
}
