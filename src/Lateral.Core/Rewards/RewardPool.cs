using System.Collections.Immutable;

namespace Lateral.Core.Rewards;

/// <summary>
/// Scores rollouts with a fixed number of workers and a deadline per call. A verifier that throws, hangs or returns late
/// yields <see cref="RewardOutcome.InfraFault"/>: never a number (I8), never an exception.
/// </summary>
public sealed class RewardPool(RewardPoolSpec spec, IReward reward)
{
    /// <summary>How the reason of a missed deadline begins.</summary>
    public const string TimeoutReason = "no answer within";

    /// <summary>A verifier that returns NaN or infinity is broken; its number is not a reward.</summary>
    private const string NotFinite = "non-finite reward";

    private readonly SemaphoreSlim _workers = new(spec.Workers);

    public RewardPoolSpec Spec => spec;

    /// <summary>What deadlines are measured with.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where verifiers run.</summary>
    public TaskScheduler Threads { get; init; } = TaskScheduler.Default;

    /// <returns>one outcome per request, in order</returns>
    public async Task<ImmutableArray<RewardOutcome>> ScoreAsync(ImmutableArray<RewardRequest> requests)
    {
        var outcomes = new RewardOutcome[requests.Length];
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(spec.Workers, requests.Length)).Select(_ => Start(WorkAsync).Unwrap()));
        return [.. outcomes];

        async Task WorkAsync()
        {
            for (int index; (index = Interlocked.Increment(ref next)) < requests.Length;)
            {
                await _workers.WaitAsync();
                try
                {
                    outcomes[index] = await ScoreWithGuessesAsync(requests[index]);
                }
                finally
                {
                    _workers.Release();
                }
            }
        }
    }

    /// <summary>Equal answers are one question. A guess that cannot be scored is the rollout's fault: a return made of numbers that are there would be another one.</summary>
    private async Task<RewardOutcome> ScoreWithGuessesAsync(RewardRequest request)
    {
        var outcome = await ScoreOneAsync(request with { Guesses = [] });
        if (request.Guesses.IsEmpty || outcome is RewardOutcome.InfraFault) return outcome;
        var values = new Dictionary<string, double>(StringComparer.Ordinal) { [request.Completion] = ValueOf(outcome) };
        foreach (var guess in request.Guesses)
        {
            if (values.ContainsKey(guess)) continue;
            var own = await ScoreOneAsync(request with { Completion = guess, Guesses = [] });
            if (own is RewardOutcome.InfraFault) return own;
            values[guess] = ValueOf(own);
        }

        return outcome with { Guesses = [.. request.Guesses.Select(guess => values[guess])] };

        double ValueOf(RewardOutcome own) => own is RewardOutcome.Scored scored ? scored.Value : spec.FaultReward;
    }

    private async Task<RewardOutcome> ScoreOneAsync(RewardRequest request)
    {
        using var deadline = new CancellationTokenSource();
        // On its own task, so that a verifier that never yields cannot hold the pool past the deadline.
        var scoring = Start(async () => await reward.ScoreAsync(request, deadline.Token)).Unwrap();
        try
        {
            var outcome = await scoring.WaitAsync(spec.Timeout, Time);
            return outcome is RewardOutcome.Scored scored && !double.IsFinite(scored.Value) ? new RewardOutcome.InfraFault(NotFinite) : outcome;
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

    /// <summary>Hidden from what it runs: a verifier's own awaits go where they always go.</summary>
    private Task<T> Start<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach | TaskCreationOptions.HideScheduler, Threads);
}
