using System.Collections.Immutable;
using Akka.Actor;
using Lateral.Actors.Rollouts;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;

namespace Lateral.Actors.Rewards;

/// <summary>A named reward pool on this node. Verifiers run on the thread pool; a poison rollout becomes an outcome, never a crash.</summary>
internal sealed class RewardPoolActor : ReceiveActor, IWithTimers
{
    private readonly RewardPool _pool;
    private readonly IActorRef _monitor;
    private readonly TimeProvider _time;
    private readonly Dictionary<long, Call> _calls = [];
    private long _nextCall;
    private (string Reason, int Count, long Since)? _faults;

    public RewardPoolActor(RewardPool pool, IActorRef monitor, TimeProvider time)
    {
        (_pool, _monitor, _time) = (pool, monitor, time);
        Receive<RewardProtocol.ScoreRollouts>(Score);
        Receive<Answer>(Finish);
        Receive<Tick>(_ => Report());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.FromSeconds(1));
        Report();
    }

    private void Score(RewardProtocol.ScoreRollouts request)
    {
        var call = _nextCall++;
        _calls[call] = new Call(Sender, request.Requests.Length, _time.GetTimestamp());
        _ = ScoreAsync(call, request).PipeTo(Self);
    }

    private async Task<Answer> ScoreAsync(long call, RewardProtocol.ScoreRollouts request)
    {
        var outcomes = await _pool.ScoreAsync(request.Requests);
        return new Answer(call, new GroupProtocol.RolloutsScored(
            request.Group, _pool.Spec.Name, [.. request.Requests.Zip(outcomes, (one, outcome) => (one.Id.Sibling, outcome))]));
    }

    private void Finish(Answer answer)
    {
        _calls.Remove(answer.Call, out var call);
        call.Group.Tell(answer.Scored);
        var (_, last) = answer.Scored.Outcomes.LastOrDefault(scored => scored.Outcome is RewardOutcome.InfraFault);
        _faults = last is RewardOutcome.InfraFault fault ? (fault.Kind, (_faults?.Count ?? 0) + 1, _faults?.Since ?? call.Since) : null;
    }

    private void Report()
    {
        var now = _time.GetTimestamp();
        var status = new PartStatus(Parts.RewardPool(_pool.Spec.Name), _calls.Count > 0 ? Phase.Scoring : Phase.Idle)
            .With(Figures.InFlight, _calls.Values.Sum(call => call.Rollouts))
            .With(Figures.OldestSeconds, _time.GetElapsedTime(_calls.Values.Select(call => call.Since).DefaultIfEmpty(now).Min(), now).TotalSeconds)
            .With(Figures.Workers, _pool.Spec.Workers)
            .With(Figures.TimeoutSeconds, _pool.Spec.Timeout.TotalSeconds);
        _monitor.Tell(_faults is { } row ? status with { Fault = new PartFault(row.Reason, row.Count, _time.GetElapsedTime(row.Since).TotalSeconds) } : status);
    }

    private readonly record struct Call(IActorRef Group, int Rollouts, long Since);

    private sealed record Answer(long Call, GroupProtocol.RolloutsScored Scored) : ILocalMessage;
}
