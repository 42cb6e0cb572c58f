using System.Numerics;

namespace Lateral.Rewards.Arithmetic;

/// <summary>Finds an expression over all the given numbers with a wanted value, by combining two of them at a time.</summary>
public static class CountdownSolver
{
    /// <returns>the first expression in a fixed search order; null where there is none</returns>
    public static Expression? Solve(IEnumerable<int> numbers, int target) =>
        Search([.. numbers.Select(number => (Expression)new Expression.Literal(new BigInteger(number)))], new BigInteger(target));

    private static Expression? Search(IReadOnlyList<Expression> parts, Rational target)
    {
        if (parts.Count == 0) return null;
        if (parts.Count == 1) return parts[0].Value == target ? parts[0] : null;
        foreach (var (i, j) in Pairs(parts.Count))
        {
            var rest = parts.Where((_, k) => k != i && k != j);
            foreach (var symbol in "+-*/")
            {
                var combined = new Expression.Operation(symbol, parts[i], parts[j]);
                if (combined.Value is not null && Search([.. rest, combined], target) is { } found) return found;
            }
        }

        return null;
    }

    private static IEnumerable<(int I, int J)> Pairs(int count) =>
        from i in Enumerable.Range(0, count) from j in Enumerable.Range(0, count) where i != j select (i, j);
}
