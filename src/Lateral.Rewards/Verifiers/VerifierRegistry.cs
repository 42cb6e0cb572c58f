using Lateral.Core.Rewards;

namespace Lateral.Rewards.Verifiers;

/// <summary>The verifiers by the <c>kind</c> of a reward pool.</summary>
public static class VerifierRegistry
{
    /// <summary><c>sudoku</c> scores the fraction of blank cells, <c>sudoku-exact</c> 1 or 0; their breakdowns are the same.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["sort", "sudoku", "sudoku-exact", "countdown"];

    /// <summary>A verifier that any number of workers may share.</summary>
    /// <exception cref="ArgumentException">an unknown kind; the message lists the known ones and the nearest</exception>
    public static IReward Create(string kind) => kind switch
    {
        "sort" => new Verifier(SortVerifier.Score),
        "sudoku" => new Verifier(SudokuVerifier.ScoreCells),
        "sudoku-exact" => new Verifier(SudokuVerifier.ScoreExact),
        "countdown" => new Verifier(CountdownVerifier.Score),
        _ => throw new ArgumentException(KnownNames.Unknown("reward kind", kind, Kinds), nameof(kind)),
    };
}
