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
/// <item>complete = every sibling has a trajectory and a value in every pool that is not skipped, re-derived from the state, never remembered;</item>
/// <item>siblings are comparable: a pool that is skipped is skipped for all of them.</item>
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

    /// <summary>By pool, how often its infrastructure has failed.</summary>
    public ImmutableSortedDictionary<string, int> Faults { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    public int InfraFaults => Faults.Values.Sum();

    /// <summary>Pools that the group goes on without, with the reason.</summary>
    public ImmutableSortedDictionary<string, string> Skipped { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public string? QuarantineReason { get; init; }

    /// <summary>Those that value the group.</summary>
    public IEnumerable<RewardPoolSpec> Valuing => Pools.Where(pool => !Skipped.ContainsKey(pool.Name));

    public bool IsComplete => QuarantineReason is null && Trajectories.Count == GroupSize && Rewards.Keys.Count(key => !Skipped.ContainsKey(key.Pool)) == GroupSize * Valuing.Count();

    /// <summary>Siblings that still have to be sampled.</summary>
    public ImmutableArray<int> MissingSiblings => [.. Enumerable.Range(0, GroupSize).Where(sibling => !Trajectories.ContainsKey(sibling))];

    /// <summary>Sampled siblings that the pool still has to value.</summary>
    public IEnumerable<Trajectory> Unscored(string pool) => Skipped.ContainsKey(pool) ? [] : Trajectories.Values.Where(trajectory => !Rewards.ContainsKey((pool, trajectory.Id.Sibling)));

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
        if (QuarantineReason is not null || Valuing.FirstOrDefault(p => p.Name == pool) is not { } spec) return [];
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
            if (Consequence(spec, fault) is { } consequence) events.Add(consequence);
        }

        return events.ToImmutable();
    }

    /// <summary>What follows from one fault more; null = the pool is asked again.</summary>
    private IGroupEvent? Consequence(RewardPoolSpec pool, string fault)
    {
        var faults = Faults.GetValueOrDefault(pool.Name) + 1;
        if (pool.OnFailure == PoolFailureAnswer.Quarantine) return new GroupQuarantined($"reward pool '{pool.Name}' failed: {fault}");
        if (faults < MaxInfraFaults) return null;
        var reason = $"reward pool '{pool.Name}' failed {faults} times: {fault}";
        // A group that nothing values has nothing to be trained on.
        return pool.OnFailure == PoolFailureAnswer.Skip && Valuing.Any(other => other.Name != pool.Name) ? new PoolSkipped(pool.Name, reason) : new GroupQuarantined(reason);
    }

    public RolloutGroup Apply(IGroupEvent change) => change switch
    {
        TrajectoriesRecorded e => this with { Trajectories = Trajectories.AddRange(e.Trajectories.Select(t => KeyValuePair.Create(t.Id.Sibling, t))) },
        RewardsRecorded e => this with { Rewards = Rewards.AddRange(e.Rewards.Select(r => KeyValuePair.Create((e.Pool, r.Sibling), r))) },
        InfraFaultRecorded e => this with { Faults = Faults.SetItem(e.Pool, Faults.GetValueOrDefault(e.Pool) + 1) },
        PoolSkipped e => this with { Skipped = Skipped.SetItem(e.Pool, e.Reason) },
        GroupQuarantined e => this with { QuarantineReason = e.Reason },
        _ => throw new LedgerException($"unknown event {change.GetType().Name}"),
    };

    /// <summary>The scored siblings in order; a reward is the weighted sum over the pools that are not skipped, less what its steps cost; its breakdown prefixed by pool name.</summary>
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
        foreach (var pool in Skipped.Keys) breakdown[$"{pool}/skipped"] = 1;
        foreach (var pool in Valuing)
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
