using Lateral.Core.Rewards;

namespace Lateral.Rewards.Verifiers;

/// <summary>The verifiers by the <c>kind</c> of a reward pool.</summary>
public static class VerifierRegistry
{
    /// <summary>What reads a kind's keys and makes its verifier, in the order of <c>reward.kinds</c>.</summary>
    private static readonly OrderedDictionary<string, Func<VerifierKeys, IReward>> Makers = new(StringComparer.Ordinal)
    {
        ["sort"] = keys => With(keys.Fraction("right-digits"), SortVerifier.Score),
        ["sudoku"] = _ => new Verifier(SudokuVerifier.ScoreCells),
        ["sudoku-exact"] = _ => new Verifier(SudokuVerifier.ScoreExact),
        ["countdown"] = keys => With(keys.Fraction("right-numbers"), CountdownVerifier.Score),
        ["multiply"] = _ => new Verifier(MultiplyVerifier.Score),
        ["order"] = _ => new Verifier(OrderVerifier.Score),
        ["serial"] = _ => new Verifier(SerialVerifier.Score),
        ["code"] = keys => new CodeVerifier(CodeSettings.Of(keys), TimeProvider.System),
    };

    public static IReadOnlyList<string> Kinds { get; } = [.. Makers.Keys];

    /// <summary>A verifier that any number of workers may share, from its keys as they stand in the configuration.</summary>
    /// <param name="parameters">every key of <c>reward.kinds.KIND</c>, for example <c>right-numbers = 0.1</c>; those that are null are left out</param>
    /// <exception cref="RewardSettingException">an unknown kind or key, a missing key, or a value out of range</exception>
    public static IReward Create(string kind, IReadOnlyDictionary<string, string> parameters)
    {
        if (!Makers.TryGetValue(kind, out var make)) throw new RewardSettingException("kind", KnownNames.Unknown("reward kind", kind, Kinds));
        var keys = new VerifierKeys(kind, parameters);
        var reward = make(keys);
        keys.RefuseOthers();
        return reward;
    }

    private static Verifier With(double part, Func<RewardRequest, double, RewardOutcome> score) => new(request => score(request, part));
}
