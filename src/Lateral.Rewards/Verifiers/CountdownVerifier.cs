using System.Numerics;
using Lateral.Core.Rewards;
using Lateral.Rewards.Arithmetic;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Verifiers;

/// <summary>
/// d1's countdown reward (arXiv 2504.12216): 1 for an expression that uses each given number exactly once and has the target's value,
/// <c>right-numbers</c> (0.1 in d1) for one with the right numbers and another value, else 0. Values are exact fractions; a division by zero has no value,
/// so it is another value. Parts: <c>format</c> (it parses), <c>numbers</c> (each exactly once), <c>answer</c> (1 or 0).
/// Example with 0.1: reference 3,7,2=42: 3*7*2 scores 1, 3*7+2 scores 0.1, 6*7 scores 0.
/// </summary>
internal static class CountdownVerifier
{
    /// <param name="rightNumbers">the value of an expression that only uses the right numbers, 0 .. 1</param>
    public static RewardOutcome Score(RewardRequest request, double rightNumbers)
    {
        if (CountdownText.ReadReference(request.Prompt.Reference) is not { } problem) return Outcomes.UnreadableReference;
        return ExpressionParser.Parse(request.Completion) switch
        {
            ParsedExpression.Tree tree => Score(tree.Expression, problem.Numbers, problem.Target, rightNumbers),
            ParsedExpression.TooLong => new RewardOutcome.ModelFault("expression-too-long"),
            ParsedExpression.TooDeep => new RewardOutcome.ModelFault("expression-too-deep"),
            _ => Outcomes.Scored(0, ("format", 0), ("numbers", 0), ("answer", 0)),
        };
    }

    private static RewardOutcome Score(Expression expression, int[] given, int target, double rightNumbers)
    {
        var numbers = expression.Numbers.Order().SequenceEqual(given.Order().Select(number => new BigInteger(number)));
        var answer = numbers && expression.Value == (Rational)new BigInteger(target);
        var value = answer ? 1 : numbers ? rightNumbers : 0;
        return Outcomes.Scored(value, ("format", 1), ("numbers", Outcomes.OneIf(numbers)), ("answer", Outcomes.OneIf(answer)));
    }
}
