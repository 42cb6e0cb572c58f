using System.Collections.Immutable;
using Lateral.Core.Rewards;

namespace Lateral.Rewards.Verifiers;

/// <summary>A verifier that is a pure function of the request: bounded work, no input it throws on, done when it returns.</summary>
internal sealed class Verifier(Func<RewardRequest, RewardOutcome> score) : IReward
{
    public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) =>
        cancellation.IsCancellationRequested
            ? ValueTask.FromCanceled<RewardOutcome>(cancellation)
            : ValueTask.FromResult(score(request));
}

/// <summary>Outcomes that verifiers share.</summary>
internal static class Outcomes
{
    /// <summary>The task's own reference or prompt cannot be judged against: nobody's completion is to blame.</summary>
    public static RewardOutcome UnreadableReference { get; } = new RewardOutcome.InfraFault("unreadable-reference");

    public static RewardOutcome Scored(double value, params ReadOnlySpan<(string Part, double Value)> parts)
    {
        var breakdown = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        foreach (var (part, number) in parts) breakdown[part] = number;
        return new RewardOutcome.Scored(value, breakdown.ToImmutable());
    }

    public static double OneIf(bool holds) => holds ? 1 : 0;
}
