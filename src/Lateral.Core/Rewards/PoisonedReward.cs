using System.Collections.Immutable;

namespace Lateral.Core.Rewards;

/// <summary>A verifier that fails once where a failpoint <c>reward-GROUP-SIBLING</c> says so: <c>hang</c>, <c>nan</c>, or else it throws.</summary>
public sealed class PoisonedReward : IReward
{
    private readonly IReward _reward;

    private PoisonedReward(IReward reward) => _reward = reward;

    /// <returns>the verifier itself where no failpoints are armed</returns>
    public static IReward Around(IReward reward) => Failpoint.IsArmed ? new PoisonedReward(reward) : reward;

    public async ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        switch (Failpoint.Take($"reward-{request.Id.Group}-{request.Id.Sibling}"))
        {
            case null:
                break;
            case "hang":
                // A verifier that does not honour its deadline.
                await Task.Delay(Timeout.InfiniteTimeSpan, CancellationToken.None).ConfigureAwait(false);
                break;
            case "nan":
                return new RewardOutcome.Scored(double.NaN, ImmutableSortedDictionary<string, double>.Empty);
            case var kind:
                throw new InvalidOperationException($"failpoint: {kind}");
        }

        return await _reward.ScoreAsync(request, cancellation).ConfigureAwait(false);
    }
}
