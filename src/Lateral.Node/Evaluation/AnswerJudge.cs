using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Node.Evaluation;

/// <summary>A verifier with its pool's deadline.</summary>
public sealed record JudgePool(RewardPoolSpec Spec, IReward Reward);

/// <summary>What the pools say of one completion: the weighted reward, and whether it passes.</summary>
public readonly record struct Judgement(double Reward, bool Passed);

/// <summary>
/// Decides whether a completion is right: every pool that reports an <c>answer</c> part reports 1. A model fault is a wrong
/// answer; an infrastructure fault is no answer at all: it is retried and then thrown, or the pool says nothing where it may be skipped.
/// </summary>
public sealed class AnswerJudge(IReadOnlyList<JudgePool> pools)
{
    private const int Attempts = 3;

    /// <summary>What completions vote for; null where one has no answer.</summary>
    public Func<string, string?> FinalAnswer { get; init; } = completion => completion;

    public async Task<Judgement> JudgeAsync(Trajectory trajectory, Prompt prompt, CancellationToken cancellation)
    {
        var request = new RewardRequest(trajectory.Id, prompt, trajectory.Text);
        var (reward, answers, right) = (0.0, 0, true);
        foreach (var pool in pools)
        {
            switch (await ScoreAsync(pool, request, cancellation))
            {
                case RewardOutcome.Scored scored:
                    reward += pool.Spec.Weight * scored.Value;
                    if (!scored.Breakdown.TryGetValue("answer", out var answer)) break;
                    answers++;
                    right &= answer >= 1;
                    break;
                case null:
                    break;
                case RewardOutcome.ModelFault:
                    reward += pool.Spec.Weight * pool.Spec.FaultReward;
                    answers++;
                    right = false;
                    break;
            }
        }

        return answers > 0
            ? new Judgement(reward, right)
            : throw new UserException(ExitCode.Usage, "no reward pool reports an 'answer' part, so nothing can pass an evaluation; add a pool whose kind checks the answer");
    }

    /// <returns>null = the pool failed and may be skipped</returns>
    private static async Task<RewardOutcome?> ScoreAsync(JudgePool pool, RewardRequest request, CancellationToken cancellation)
    {
        var fault = "";
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            deadline.CancelAfter(pool.Spec.Timeout);
            try
            {
                var outcome = await pool.Reward.ScoreAsync(request, deadline.Token).AsTask().WaitAsync(deadline.Token);
                if (outcome is not RewardOutcome.InfraFault infra) return outcome;
                fault = infra.Kind;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                fault = $"no answer within {pool.Spec.Timeout.TotalSeconds:0.###}s";
            }
        }

        return pool.Spec.OnFailure == PoolFailureAnswer.Skip ? null : throw new UserException(ExitCode.Environment, $"evaluation: reward pool '{pool.Spec.Name}' failed {Attempts} times on {request.Id}: {fault}");
    }
}
