using System.Collections.Immutable;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Suites;

/// <summary>A suite's problem cannot be judged: the infrastructure's fault, so no completion is called wrong for it.</summary>
public sealed class SuiteFaultException(string message) : Exception(message);

/// <summary>Judges completions by the rules of a suite, which are reward kinds; whoever makes it disposes it.</summary>
public sealed class SuiteJudge : IAsyncDisposable
{
    private const int Attempts = 3;

    private readonly ImmutableArray<IReward> _rewards;

    /// <param name="defaults">a reward kind's keys as the reference has them</param>
    public SuiteJudge(Suite suite, Func<string, IReadOnlyDictionary<string, string>> defaults) =>
        _rewards = [.. suite.Rules.Select(rule => VerifierRegistry.Create(rule.Kind, defaults(rule.Kind).ToImmutableDictionary().SetItems(rule.Keys)))];

    /// <exception cref="RewardUnavailableException">this machine lacks what judging needs</exception>
    public async Task PrepareAsync(CancellationToken cancellation)
    {
        foreach (var reward in _rewards.OfType<IPreparedReward>()) await reward.PrepareAsync(cancellation);
    }

    /// <summary>One verdict for each rule.</summary>
    /// <exception cref="SuiteFaultException">nothing came of three attempts</exception>
    public async Task<ImmutableArray<bool>> JudgeAsync(SuiteItem item, string completion, CancellationToken cancellation)
    {
        var request = new RewardRequest(new RolloutId(0, 0), new Prompt(0, [], item.Text, item.Reference), completion);
        var verdicts = ImmutableArray.CreateBuilder<bool>(_rewards.Length);
        foreach (var reward in _rewards) verdicts.Add(await IsRightAsync(reward, item, request, cancellation));
        return verdicts.MoveToImmutable();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var reward in _rewards.OfType<IAsyncDisposable>()) await reward.DisposeAsync();
    }

    private static async Task<bool> IsRightAsync(IReward reward, SuiteItem item, RewardRequest request, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            switch (await reward.ScoreAsync(request, cancellation))
            {
                case RewardOutcome.Scored scored: return scored.Breakdown["answer"] >= 1;
                case RewardOutcome.ModelFault: return false;
                case RewardOutcome.InfraFault fault when attempt == Attempts: throw new SuiteFaultException($"{item.Id} could not be judged in {Attempts} attempts: {fault.Kind}");
            }
        }
    }
}
