using System.Collections.Immutable;
using Akka.Actor;
using Lateral.Actors.Rollouts;
using Lateral.Actors.Runs;
using Lateral.Core;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;

namespace Lateral.Actors.Rewards;

/// <summary>
/// A named reward pool on this node. Verifiers run on the thread pool; a poison rollout becomes an outcome, never a crash. While
/// its breaker is open it holds what it is asked, tries one rollout every few seconds, and the ledger issues nothing.
/// </summary>
/// <remarks>
/// I8 no fabrication: an infrastructure fault is told as one or not at all; it is never a number. I10 bounded: each call has its
/// deadline in the pool, and a group whose request is held asks again by itself.
/// </remarks>
internal sealed class RewardPoolActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(2);

    private const int ExampleLength = 120;

    private readonly RewardPool _pool;
    private readonly IActorRef _monitor;
    private readonly IActorRef _run;
    private readonly TimeProvider _time;
    private readonly Dictionary<long, Call> _calls = [];
    private readonly HeldRequests _held = new();
    private FaultBreaker _breaker = new();
    private long _nextCall;
    private bool _answered;
    private long? _probe;
    private long _probed;
    private (string Reason, int Count, long Since)? _faults;

    public RewardPoolActor(RewardPool pool, IActorRef monitor, TimeProvider time)
        : this(pool, monitor, ActorRefs.Nobody, time)
    {
    }

    public RewardPoolActor(RewardPool pool, IActorRef monitor, IActorRef run, TimeProvider time)
    {
        (_pool, _monitor, _run, _time) = (pool, monitor, run, time);
        Receive<RewardProtocol.ScoreRollouts>(request => Score(Sender, request));
        Receive<Answer>(Finish);
        Receive<Tick>(_ =>
        {
            Repeat();
            Reassure();
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.FromSeconds(1));
        Repeat();
    }

    private void Score(IActorRef group, RewardProtocol.ScoreRollouts request)
    {
        if (_breaker.Open is null) Begin(group, request);
        else _held.Add(group, request);
    }

    /// <param name="proven">the pool has just answered: what fails now is the rollout's own fault</param>
    private long Begin(IActorRef group, RewardProtocol.ScoreRollouts request, bool proven = false)
    {
        var call = _nextCall++;
        _calls[call] = new Call(group, request, _time.GetTimestamp(), proven);
        _ = ScoreAsync(call, request).PipeTo(Self);
        return call;
    }

    private async Task<Answer> ScoreAsync(long call, RewardProtocol.ScoreRollouts request) => new(call, await _pool.ScoreAsync(request.Requests));

    private void Finish(Answer answer)
    {
        _calls.Remove(answer.Call, out var call);
        NoteFaults(answer.Outcomes, call);
        if (call.Request.Requests.Where((_, i) => answer.Outcomes[i] is not RewardOutcome.InfraFault).LastOrDefault() is { } answered)
        {
            _answered = true;
            _held.NoteAnswered(call.Request with { Requests = [answered] });
        }

        if (answer.Call == _probe)
        {
            _probe = null;
            _breaker = _breaker.Probe(answer.Outcomes[0]);
            if (_breaker.Open is null) Release();
        }
        else
        {
            _breaker = _breaker.Note(answer.Outcomes);
        }

        Tell(call, answer.Outcomes);
        Repeat();
    }

    /// <summary>While the breaker is open a fault is not the rollout's: it is asked again instead of counted, until the pool has proved that it works.</summary>
    private void Tell(Call call, ImmutableArray<RewardOutcome> outcomes)
    {
        if (_breaker.Open is not null && !call.Proven && outcomes.Any(outcome => outcome is RewardOutcome.InfraFault))
        {
            _held.NoteFailed(call.Request);
            if (!call.Group.IsNobody()) _held.Add(call.Group, call.Request);
            return;
        }

        call.Group.Tell(new GroupProtocol.RolloutsScored(
            call.Request.Group, _pool.Spec.Name, [.. call.Request.Requests.Zip(outcomes, (one, outcome) => (one.Id.Sibling, outcome))]));
    }

    private void Release()
    {
        foreach (var (group, request) in _held.Release()) Begin(group, request, proven: true);
    }

    private void NoteFaults(ImmutableArray<RewardOutcome> outcomes, Call call) =>
        _faults = outcomes.LastOrDefault(outcome => outcome is RewardOutcome.InfraFault) is RewardOutcome.InfraFault fault
            ? (fault.Kind, (_faults?.Count ?? 0) + 1, _faults?.Since ?? call.Since)
            : null;

    private void Repeat()
    {
        if (_breaker.Open is not null && _probe is null && _time.GetElapsedTime(_probed) >= ProbeEvery && _held.Probe() is { } probe)
        {
            _probed = _time.GetTimestamp();
            // Its group waits in the held requests, and is answered there.
            _probe = Begin(ActorRefs.Nobody, probe);
        }

        _run.Tell(new RunProtocol.PoolReport(_pool.Spec.Name, Self.Path.ToString(), Trouble()) { HasAnswered = _answered });
        Report();
    }

    /// <summary>Where nothing was ever valued, also what could not be: the pool may be told to read what nobody writes.</summary>
    private string? Trouble() => _breaker.Open is { } open && !_answered && _held.Example is { } example ? $"{open}; for example \"{Excerpt.Of(example.Prompt.Text, ExampleLength)}\" -> \"{Excerpt.Of(example.Completion, ExampleLength)}\"" : _breaker.Open;

    /// <summary>So that a group whose request is lost asks again soon, and one that only has to wait does not.</summary>
    private void Reassure()
    {
        foreach (var (group, ordinal) in _calls.Values.Select(call => (call.Group, call.Request.Group)).Concat(_held.Groups).Distinct())
            group.Tell(new GroupProtocol.ScoringGoesOn(ordinal, _pool.Spec.Name));
    }

    private void Report()
    {
        var now = _time.GetTimestamp();
        var status = new PartStatus(Parts.RewardPool(_pool.Spec.Name), _calls.Count > 0 ? Phase.Scoring : Phase.Idle)
            .With(Figures.InFlight, _calls.Values.Sum(call => call.Request.Requests.Length) + _held.Rollouts)
            .With(Figures.OldestSeconds, _time.GetElapsedTime(_calls.Values.Select(call => call.Since).DefaultIfEmpty(now).Min(), now).TotalSeconds)
            .With(Figures.Workers, _pool.Spec.Workers)
            .With(Figures.TimeoutSeconds, _pool.Spec.Timeout.TotalSeconds);
        _monitor.Tell(_faults is { } row ? status with { Fault = new PartFault(row.Reason, row.Count, _time.GetElapsedTime(row.Since).TotalSeconds) } : status);
    }

    private readonly record struct Call(IActorRef Group, RewardProtocol.ScoreRollouts Request, long Since, bool Proven);

    private sealed record Answer(long Call, ImmutableArray<RewardOutcome> Outcomes) : ILocalMessage;
}
