using Lateral.Core.Rewards;

namespace Lateral.Rewards.Verifiers;

/// <summary>The verifiers by the <c>kind</c> of a reward pool.</summary>
public static class VerifierRegistry
{
    /// <summary><c>sudoku</c> scores the fraction of blank cells, <c>sudoku-exact</c> 1 or 0; their breakdowns are the same.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["sort", "sudoku", "sudoku-exact", "countdown", "multiply", "order", "serial"];

    /// <summary>A verifier that any number of workers may share, from its keys as they stand in the configuration.</summary>
    /// <param name="parameters">every key of <c>reward.kinds.KIND</c>, for example <c>right-numbers = 0.1</c></param>
    /// <exception cref="RewardSettingException">an unknown kind or key, a missing key, or a value out of range</exception>
    public static IReward Create(string kind, IReadOnlyDictionary<string, string> parameters)
    {
        var keys = new VerifierKeys(kind, parameters);
        var score = Score(kind, keys);
        keys.RefuseOthers();
        return new Verifier(score);
    }

    private static Func<RewardRequest, RewardOutcome> Score(string kind, VerifierKeys keys)
    {
        switch (kind)
        {
            case "sort":
                var rightDigits = keys.Fraction("right-digits");
                return request => SortVerifier.Score(request, rightDigits);
            case "sudoku":
                return SudokuVerifier.ScoreCells;
            case "sudoku-exact":
                return SudokuVerifier.ScoreExact;
            case "countdown":
                var rightNumbers = keys.Fraction("right-numbers");
                return request => CountdownVerifier.Score(request, rightNumbers);
            case "multiply":
                return MultiplyVerifier.Score;
            case "order":
                return OrderVerifier.Score;
            case "serial":
                return SerialVerifier.Score;
            default:
                throw new RewardSettingException("kind", KnownNames.Unknown("reward kind", kind, Kinds));
        }
    }
}
