using System.Collections.Immutable;

namespace Lateral.Core.Rewards;

/// <summary>
/// Scores rollouts with a fixed number of workers and a deadline per call. A verifier that throws, hangs or returns late
/// yields <see cref="RewardOutcome.InfraFault"/>: never a number, never an exception.
/// </summary>
public sealed class RewardPool(RewardPoolSpec spec, IReward reward)
{
    /// <summary>How the reason of a missed deadline begins.</summary>
    public const string TimeoutReason = "no answer within";

    private readonly SemaphoreSlim _workers = new(spec.Workers);

    public RewardPoolSpec Spec => spec;

    /// <returns>one outcome per request, in order</returns>
    public async Task<ImmutableArray<RewardOutcome>> ScoreAsync(ImmutableArray<RewardRequest> requests)
    {
        var outcomes = new RewardOutcome[requests.Length];
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(spec.Workers, requests.Length)).Select(_ => Task.Run(WorkAsync)));
        return [.. outcomes];

        async Task WorkAsync()
        {
            for (int index; (index = Interlocked.Increment(ref next)) < requests.Length;)
            {
                await _workers.WaitAsync();
                try
                {
                    outcomes[index] = await ScoreOneAsync(requests[index]);
                }
                finally
                {
                    _workers.Release();
                }
            }
        }
    }

    private async Task<RewardOutcome> ScoreOneAsync(RewardRequest request)
    {
        using var deadline = new CancellationTokenSource();
        // On its own task, so that a verifier that never yields cannot hold the pool past the deadline.
        var scoring = Task.Run(async () => await reward.ScoreAsync(request, deadline.Token), CancellationToken.None);
        try
        {
            return await scoring.WaitAsync(spec.Timeout);
        }
        catch (TimeoutException)
        {
            await deadline.CancelAsync();
            return new RewardOutcome.InfraFault($"{TimeoutReason} {spec.Timeout.TotalSeconds:0.###} s");
        }
        catch (Exception failure)
        {
            return new RewardOutcome.InfraFault($"{failure.GetType().Name}: {failure.Message}");
        }
    }
}
