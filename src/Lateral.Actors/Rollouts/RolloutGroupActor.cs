using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Persistence;
using Lateral.Actors.Rewards;
using Lateral.Actors.Runs;
using Lateral.Actors.Sampling;
using Lateral.Actors.Serialization;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;
using static Lateral.Actors.Rollouts.GroupProtocol;

namespace Lateral.Actors.Rollouts;

/// <summary>Whom a group entity talks to.</summary>
internal sealed record GroupRefs(IActorRef Run, IActorRef Dispatcher, ImmutableDictionary<string, IActorRef> RewardPools);

/// <summary>
/// One prompt's sibling rollouts: requested, sampled, scored, handed on. It owns every retry, and what is left to do is
/// derived from its state on each change and on a tick, so that no lost message can leave the group stuck.
/// </summary>
internal sealed class RolloutGroupActor : JournaledActor<IGroupEvent>, IWithTimers
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(2);

    /// <summary>Just below a tick, so that the next one tries again.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1.5);

    /// <summary>A pool says every second that it has a request; one that has been silent for so long has lost it, or is gone.</summary>
    private static readonly TimeSpan Silent = TimeSpan.FromSeconds(4);

    private readonly GroupRefs _refs;
    private readonly Prompt _prompt;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, long> _scoring = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _faulted = new(StringComparer.Ordinal);
    private RolloutGroup _group;
    private OpenGroup? _issued;

    public RolloutGroupActor(long ordinal, RunSettings settings, GroupRefs refs, IPromptSource prompts, JournalGauge gauge, TimeProvider time)
        : base($"group-{settings.Name}-{ordinal}", gauge)
    {
        (_refs, _prompt, _time) = (refs, prompts.Train(ordinal), time);
        _group = RolloutGroup.Of(ordinal, settings);

        Recover<IGroupEvent>(change => _group = _group.Apply(change));
        Recover<RecoveryCompleted>(_ => Start());

        Command<OpenGroup>(Open);
        Command<TrajectoriesSampled>(Record);
        Command<RolloutsScored>(Record);
        Command<ScoringGoesOn>(Note);
        Command<GetGroup>(Answer);
        Command<RetireGroup>(_ => Context.Parent.Tell(new Passivate(PoisonPill.Instance)));
        Command<Tick>(_ => Advance());
    }

    /// <summary>A handful of events a group: no snapshots, and no query for one at each start.</summary>
    public override Recovery Recovery { get; } = new(SnapshotSelectionCriteria.None);

    public ITimerScheduler Timers { get; set; } = null!;

    private void Start()
    {
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TickInterval);
        Advance();
    }

    private void Open(OpenGroup issued)
    {
        if (issued == _issued) return;
        _issued = issued;
        Advance();
    }

    private void Record(TrajectoriesSampled sampled)
    {
        var sampler = Sender;
        PersistThen(_group.Record(sampled.Trajectories), () =>
        {
            sampler.Tell(new TrajectoriesAcknowledged(sampled.Group, [.. sampled.Trajectories.Select(t => t.Id.Sibling)]));
            Advance();
        });
    }

    private void Record(RolloutsScored scored)
    {
        _scoring.Remove(scored.Pool);
        if (scored.Outcomes.Any(one => one.Outcome is RewardOutcome.InfraFault)) _faulted[scored.Pool] = _time.GetTimestamp();
        PersistThen(_group.Record(scored.Pool, scored.Outcomes), Advance);
    }

    private void Note(ScoringGoesOn sign)
    {
        if (_scoring.ContainsKey(sign.Pool)) _scoring[sign.Pool] = _time.GetTimestamp();
    }

    private void Answer(GetGroup query)
    {
        if (!_group.IsComplete)
        {
            Sender.Tell(new GroupIncomplete(_group.Ordinal, Describe()));
            return;
        }

        var siblings = _group.ToScored().Siblings;
        var from = Math.Clamp(query.From, 0, siblings.Length);
        Sender.Tell(new GroupContent(_group.Ordinal, siblings.Length, Parcel.First(siblings[from..], Parcel.SizeOf)));
    }

    /// <summary>Asks for whatever the state still lacks.</summary>
    private void Advance()
    {
        if (_group.QuarantineReason is { } reason)
        {
            _refs.Run.Tell(new RunProtocol.GroupFinished(new GroupFiltered(_group.Ordinal, reason)));
            return;
        }

        if (_group.IsComplete)
        {
            var scored = _group.ToScored();
            var (oldest, newest) = (scored.Siblings.Min(s => s.Trajectory.OldestVersion), scored.Siblings.Max(s => s.Trajectory.NewestVersion));
            _refs.Run.Tell(new RunProtocol.GroupFinished(new GroupCompleted(_group.Ordinal, oldest, newest, ContentHash.Of(scored))));
            return;
        }

        if (_issued is { } issued && _group.MissingSiblings is { IsEmpty: false } missing)
        {
            _refs.Dispatcher.Tell(new SamplingProtocol.SubmitWork(new SampleWork(_group.Ordinal, missing, issued.Version, issued.Pinned)));
        }

        foreach (var pool in _group.Valuing) Score(pool);
    }

    /// <summary>
    /// One call per pool at a time, however long it takes: its deadline is the pool's. A call of which no sign comes is made again,
    /// by then to another node; what both score is recorded once.
    /// </summary>
    private void Score(RewardPoolSpec pool)
    {
        // Tried again at once, a short outage would use up all tries.
        if (_faulted.TryGetValue(pool.Name, out var fault) && _time.GetElapsedTime(fault) < RetryAfter) return;
        ImmutableArray<RewardRequest> requests = [.. _group.Unscored(pool.Name).Select(t => new RewardRequest(t.Id, _prompt, t.Text) { Guesses = t.Guesses })];
        if (requests.IsEmpty) return;
        if (_scoring.TryGetValue(pool.Name, out var sign) && _time.GetElapsedTime(sign) < Silent) return;
        _scoring[pool.Name] = _time.GetTimestamp();
        // What does not fit one message follows when this part is scored.
        _refs.RewardPools[pool.Name].Tell(new RewardProtocol.ScoreRollouts(_group.Ordinal, Parcel.First(requests, Parcel.SizeOf)));
    }

    private string Describe() =>
        _group.QuarantineReason ?? $"{_group.Trajectories.Count}/{_group.GroupSize} sampled, {_group.Rewards.Count}/{_group.GroupSize * _group.Pools.Length} scored";

    protected override void Apply(IGroupEvent change) => _group = _group.Apply(change);
}
