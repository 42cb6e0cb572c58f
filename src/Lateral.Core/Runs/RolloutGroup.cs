using System.Collections.Immutable;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Core.Runs;

/// <summary>
/// The state of one prompt's G sibling rollouts: a fold over <see cref="IGroupEvent"/>.
/// </summary>
/// <remarks>
/// Invariants:
/// <list type="bullet">
/// <item>I3 at most once: a sibling's trajectory and its value in a pool are recorded at most once;</item>
/// <item>I8 no fabrication: an infrastructure fault never becomes a value;</item>
/// <item>complete = every sibling has a trajectory and a value in every pool, re-derived from the state, never remembered.</item>
/// </list>
/// </remarks>
public sealed record RolloutGroup(long Ordinal, int GroupSize, ImmutableArray<RewardPoolSpec> Pools)
{
    public const int MaxInfraFaults = 3;

    /// <summary>What the denoising steps of a rollout cost it.</summary>
    public StepCost StepCost { get; init; }

    /// <summary>A run's group, before anything is known of it.</summary>
    public static RolloutGroup Of(long ordinal, RunSettings settings) =>
        new(ordinal, settings.Rollout.GroupSize, settings.Pools) { StepCost = new(settings.StepCost, settings.Rollout.Spec.Steps) };

    /// <summary>By sibling.</summary>
    public ImmutableSortedDictionary<int, Trajectory> Trajectories { get; init; } = ImmutableSortedDictionary<int, Trajectory>.Empty;

    /// <summary>By pool and sibling.</summary>
    public ImmutableDictionary<(string Pool, int Sibling), PoolReward> Rewards { get; init; } = ImmutableDictionary<(string, int), PoolReward>.Empty;

    public int InfraFaults { get; init; }

    public string? QuarantineReason { get; init; }

    public bool IsComplete => QuarantineReason is null && Trajectories.Count == GroupSize && Rewards.Count == GroupSize * Pools.Length;

    /// <summary>Siblings that still have to be sampled.</summary>
    public ImmutableArray<int> MissingSiblings => [.. Enumerable.Range(0, GroupSize).Where(sibling => !Trajectories.ContainsKey(sibling))];

    /// <summary>Sampled siblings the pool has not valued.</summary>
    public IEnumerable<Trajectory> Unscored(string pool) => Trajectories.Values.Where(trajectory => !Rewards.ContainsKey((pool, trajectory.Id.Sibling)));

    /// <summary>Events for newly sampled siblings; siblings that are recorded already or foreign are left out.</summary>
    public ImmutableArray<IGroupEvent> Record(IEnumerable<Trajectory> sampled)
    {
        if (QuarantineReason is not null) return [];
        ImmutableArray<Trajectory> fresh =
        [
            .. sampled.Where(t => t.Id.Group == Ordinal && (uint)t.Id.Sibling < (uint)GroupSize && !Trajectories.ContainsKey(t.Id.Sibling))
                .DistinctBy(t => t.Id.Sibling),
        ];
        return fresh.IsEmpty ? [] : [new TrajectoriesRecorded(fresh)];
    }

    /// <summary>Events for the outcomes of one pool's call.</summary>
    public ImmutableArray<IGroupEvent> Record(string pool, IEnumerable<(int Sibling, RewardOutcome Outcome)> outcomes)
    {
        if (QuarantineReason is not null || Pools.FirstOrDefault(p => p.Name == pool) is not { } spec) return [];
        var values = ImmutableArray.CreateBuilder<PoolReward>();
        string? fault = null;
        foreach (var (sibling, outcome) in outcomes.Where(o => Trajectories.ContainsKey(o.Sibling) && !Rewards.ContainsKey((pool, o.Sibling))).DistinctBy(o => o.Sibling))
        {
            switch (outcome)
            {
                case RewardOutcome.Scored or RewardOutcome.ModelFault when outcome.Guesses.Length != Trajectories[sibling].Guesses.Length:
                    fault = $"{outcome.Guesses.Length} of {Trajectories[sibling].Guesses.Length} guesses were scored";
                    break;
                // A verifier that returns NaN or infinity is broken; its number is not a reward.
                case RewardOutcome.Scored scored when double.IsFinite(scored.Value):
                    values.Add(new PoolReward(sibling, scored.Value, null, scored.Breakdown) { Guesses = scored.Guesses });
                    break;
                case RewardOutcome.Scored:
                    fault = "non-finite reward";
                    break;
                case RewardOutcome.ModelFault model:
                    values.Add(new PoolReward(sibling, spec.FaultReward, model.Kind, ImmutableSortedDictionary<string, double>.Empty) { Guesses = model.Guesses });
                    break;
                case RewardOutcome.InfraFault infra:
                    fault = infra.Kind;
                    break;
                default:
                    throw new ArgumentException($"unknown reward outcome {outcome}", nameof(outcomes));
            }
        }

        var events = ImmutableArray.CreateBuilder<IGroupEvent>();
        if (values.Count > 0) events.Add(new RewardsRecorded(pool, values.ToImmutable()));
        if (fault is not null)
        {
            events.Add(new InfraFaultRecorded(pool, fault));
            if (InfraFaults + 1 >= MaxInfraFaults) events.Add(new GroupQuarantined($"reward pool '{pool}' failed {MaxInfraFaults} times: {fault}"));
        }

        return events.ToImmutable();
    }

    public RolloutGroup Apply(IGroupEvent change) => change switch
    {
        TrajectoriesRecorded e => this with { Trajectories = Trajectories.AddRange(e.Trajectories.Select(t => KeyValuePair.Create(t.Id.Sibling, t))) },
        RewardsRecorded e => this with { Rewards = Rewards.AddRange(e.Rewards.Select(r => KeyValuePair.Create((e.Pool, r.Sibling), r))) },
        InfraFaultRecorded => this with { InfraFaults = InfraFaults + 1 },
        GroupQuarantined e => this with { QuarantineReason = e.Reason },
        _ => throw new LedgerException($"unknown event {change.GetType().Name}"),
    };

    /// <summary>The scored siblings in order; a reward is the weighted sum over pools, less what its steps cost; its breakdown prefixed by pool name.</summary>
    /// <exception cref="InvalidOperationException">the group is not complete</exception>
    public ScoredGroup ToScored()
    {
        if (!IsComplete) throw new InvalidOperationException($"group {Ordinal} is not complete");
        return new ScoredGroup(Ordinal, [.. Trajectories.Values.Select(Score)]);
    }

    private ScoredTrajectory Score(Trajectory trajectory)
    {
        var (reward, guesses) = (0.0, new double[trajectory.Guesses.Length]);
        var breakdown = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        foreach (var pool in Pools)
        {
            var value = Rewards[(pool.Name, trajectory.Id.Sibling)];
            reward += pool.Weight * value.Value;
            for (var step = 0; step < guesses.Length; step++) guesses[step] += pool.Weight * value.Guesses[step];
            breakdown[pool.Name] = value.Value;
            foreach (var (part, number) in value.Breakdown) breakdown[$"{pool.Name}/{part}"] = number;
        }

        // A guess is worth what its rollout would have got for it: with the same cost of steps.
        var factor = StepCost.Factor(trajectory);
        return new ScoredTrajectory(trajectory, reward * factor, breakdown.ToImmutable()) { GuessRewards = [.. guesses.Select(guess => guess * factor)] };
    }
}
