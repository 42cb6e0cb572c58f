using System.Collections.Immutable;
using Akka.Actor;
using Lateral.Actors.Hosting;
using Lateral.Actors.Policies;
using Lateral.Actors.Rollouts;
using Lateral.Actors.Runs;
using Lateral.Actors.Serialization;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using static Lateral.Actors.Sampling.SamplingProtocol;

namespace Lateral.Actors.Sampling;

/// <summary>Whom a sampler talks to.</summary>
internal sealed record SamplerRefs(IActorRef Run, IActorRef Dispatcher, IActorRef Groups, IActorRef PolicyCache, IActorRef Monitor);

/// <summary>
/// One device's sampler: pulls work, starts it under the version it is due, swaps policies between denoising steps and
/// hands trajectories to their group until the group has journaled them. The engine works on its own thread.
/// </summary>
/// <remarks>
/// I1 identity: work keeps its group and siblings, and with them its random numbers, whoever samples it. I10 bounded: an engine that
/// takes no denoising step for <c>rollout.deadline</c> is given up, by the monotonic clock; it starts nothing before the first policy.
/// </remarks>
internal sealed class SamplerActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ResendAfter = TimeSpan.FromSeconds(5);

    private readonly string _name;
    private readonly RunSettings _settings;
    private readonly SamplerRefs _refs;
    private readonly ISampler _engine;
    private readonly IPromptSource _prompts;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<long, Delivery> _deliveries = [];
    private ImmutableSortedDictionary<int, PolicyManifest> _policies = ImmutableSortedDictionary<int, PolicyManifest>.Empty;
    private SamplerPlan _plan;
    private PolicyManifest? _fetching;
    private PolicyManifest? _swapping;
    private (long Forwards, long At) _moved;
    private int _requested;
    private bool _halved;

    public SamplerActor(string name, RunSettings settings, SamplerRefs refs, Func<ISampler> engine, IPromptSource prompts, TimeProvider time)
    {
        (_name, _settings, _refs, _prompts, _time) = (name, settings, refs, prompts, time);
        _moved = (0, time.GetTimestamp());
        _plan = SamplerPlan.Empty with { PinnedMode = settings.Deterministic };
        _engine = Start(engine);

        Receive<PoliciesPublished>(Learn);
        Receive<WorkLeased>(Hold);
        Receive<PolicyCacheActor.PolicyReady>(Swap);
        Receive<Swapped>(NoteSwap);
        Receive<Finished>(Deliver);
        Receive<GroupProtocol.TrajectoriesAcknowledged>(Settle);
        Receive<Status.Failure>(Fail);
        Receive<Tick>(_ => Repeat());
        Receive<ReportCanvases>(_ => AskCanvases());
        Receive<InFlight>(ReportLeases);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Rollouts this sampler may hold: its slots, and one group more so that a freed slot is refilled at the next step.</summary>
    private int Capacity => Slots + _settings.Rollout.GroupSize;

    private int Slots => _engine.Statistics.Slots is > 0 and var slots ? slots : _settings.Topology.Slots;

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.FromSeconds(1));
        Timers.StartPeriodicTimer(nameof(ReportCanvases), ReportCanvases.Instance, _settings.Topology.ReportEvery);
        AwaitFinished();
        Advance();
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        // The engine joins its thread within its own deadline; a failed join ends in that task, not in this actor.
        _ = _engine.DisposeAsync().AsTask();
        _stopping.Dispose();
    }

    private void Learn(PoliciesPublished published)
    {
        _policies = published.Policies.ToImmutableSortedDictionary(policy => policy.Version, policy => policy);
        var before = _plan.Held;
        _plan = _plan.Publish(_policies.Keys.First(), _policies.Keys.Last());
        foreach (var work in before.Except(_plan.Held)) _deliveries.Remove(work.Group);
        Advance();
    }

    private void Hold(WorkLeased leased)
    {
        foreach (var work in leased.Work) _refs.Dispatcher.Tell(new CanvasesReported(_name, work with { Begun = [] }, []));
        _requested = Math.Max(0, _requested - leased.Work.Sum(work => work.Siblings.Length));
        // What it has already it was given again because its word was lost.
        ImmutableArray<SampleWork> fresh = [.. leased.Work.Where(work => !_deliveries.ContainsKey(work.Group))];
        foreach (var work in fresh) _deliveries[work.Group] = new Delivery(work);
        _plan = _plan with { Held = _plan.Held.AddRange(fresh) };
        Advance();
    }

    private void Advance()
    {
        if (_fetching is not null || _swapping is not null) return;
        foreach (var work in _plan.Startable)
        {
            _engine.Submit(new SampleTask(work.Group, work.Siblings, _prompts.Train(work.Group), _settings.Rollout.Spec, Evaluation: false) { Begun = work.Begun });
            _plan = _plan with { Held = _plan.Held.Remove(work), Active = _plan.Active + work.Siblings.Length };
        }

        if (_plan.SwapTo is { } version && _policies.TryGetValue(version, out var policy))
        {
            _fetching = policy;
            _refs.PolicyCache.Tell(new PolicyCacheActor.EnsurePolicy(policy));
        }

        Request();
    }

    private void Request()
    {
        var free = Capacity - _plan.Active - _plan.Held.Sum(work => work.Siblings.Length);
        if (free <= _requested) return;
        _requested = free;
        _refs.Dispatcher.Tell(new RequestWork(_name, free));
    }

    private void Swap(PolicyCacheActor.PolicyReady ready)
    {
        (_fetching, _swapping) = (null, ready.Policy);
        _ = _engine.SwapAsync(ready.Policy, ready.Path).PipeTo(Self, success: () => new Swapped(ready.Policy));
    }

    private void NoteSwap(Swapped swapped)
    {
        _swapping = null;
        _plan = _plan with { Current = swapped.Policy.Version };
        Advance();
        Report();
    }

    private void Deliver(Finished finished)
    {
        _plan = _plan with { Active = _plan.Active - finished.Trajectories.Count };
        foreach (var group in finished.Trajectories.GroupBy(trajectory => trajectory.Id.Group))
        {
            var sampled = group.ToImmutableArray();
            if (_deliveries.TryGetValue(group.Key, out var delivery)) delivery.Add(sampled, _time.GetTimestamp());
            Send(group.Key, sampled);
        }

        AwaitFinished();
        Advance();
        Report();
    }

    private void Send(long group, ImmutableArray<Trajectory> sampled)
    {
        foreach (var parcel in Parcel.Split(sampled, Parcel.SizeOf)) _refs.Groups.Tell(new GroupProtocol.TrajectoriesSampled(group, parcel));
    }

    private void Settle(GroupProtocol.TrajectoriesAcknowledged acknowledged)
    {
        if (!_deliveries.TryGetValue(acknowledged.Group, out var delivery) || !delivery.Settle(acknowledged.Siblings)) return;
        _deliveries.Remove(acknowledged.Group);
        _refs.Dispatcher.Tell(new CompleteLease(_name, acknowledged.Group));
    }

    private void Repeat()
    {
        foreach (var (group, delivery) in _deliveries)
        {
            if (delivery.IsOverdue(_time, ResendAfter)) Send(group, delivery.Resend(_time.GetTimestamp()));
        }

        // The dispatcher may have restarted and forgotten this request.
        _requested = 0;
        Request();
        Report();
    }

    private void AskCanvases() => _ = _engine.InFlightAsync().PipeTo(Self, success: canvases => new InFlight(canvases));

    /// <summary>What a successor goes on with, should this sampler die before its next report.</summary>
    private void ReportLeases(InFlight inFlight)
    {
        var canvases = inFlight.Canvases.ToLookup(canvas => canvas.Id.Group);
        foreach (var (group, delivery) in _deliveries)
        {
            ImmutableArray<RolloutInFlight> begun = [.. canvases[group]];
            if (begun.IsEmpty) _refs.Dispatcher.Tell(new CanvasesReported(_name, delivery.Left, []));
            foreach (var part in Parcel.Split(begun, Parcel.SizeOf)) _refs.Dispatcher.Tell(new CanvasesReported(_name, delivery.Left, part));
        }
    }

    private void Report()
    {
        var statistics = _engine.Statistics;
        if (_plan.Active == 0 || statistics.Forwards != _moved.Forwards) _moved = (statistics.Forwards, _time.GetTimestamp());
        if (_time.GetElapsedTime(_moved.At) > _settings.Rollout.Deadline)
        {
            Fail(new Status.Failure(new TimeoutException($"its engine holds {_plan.Active} rollouts and has taken no denoising step for rollout.deadline ({_settings.Rollout.Deadline.TotalSeconds:0} s)")));
            return;
        }

        if (!_halved && Slots < _settings.Topology.Slots)
        {
            _halved = true;
            _refs.Monitor.Tell(new RunProtocol.Notice($"{Parts.Sampler(_name)} ran out of memory and goes on with {Slots} slots instead of {_settings.Topology.Slots}; lower topology.roles.sampler.slots"));
        }

        _refs.Run.Tell(new RunProtocol.SamplerReport(_name, statistics));
        var part = Describe()
            .With(Figures.Active, _plan.Active)
            .With(Figures.Slots, Slots)
            .With(Figures.Version, _plan.Current ?? 0)
            .With(Figures.StalledSeconds, _time.GetElapsedTime(_moved.At).TotalSeconds);
        _refs.Monitor.Tell(statistics.CanaryDifference is { } difference ? part.With(Figures.CanaryDifference, difference) : part);
    }

    private PartStatus Describe()
    {
        var part = Parts.Sampler(_name);
        if (_plan.Active > 0) return new PartStatus(part, Phase.Sampling);
        if (_fetching is { } fetching) return new PartStatus(part, Phase.Waiting, Waits: new WaitsFor(Parts.PolicyCache, $"policy v{fetching.Version}"));
        if (_swapping is { } swapping) return new PartStatus(part, Phase.Swapping, $"to v{swapping.Version}");
        return new PartStatus(part, Phase.Waiting, Waits: _plan switch
        {
            { Current: null } => new WaitsFor(Parts.Learner, "the base policy"),
            // Pinned work that waits for its version.
            { Held: [var held, ..] } => new WaitsFor(Parts.Learner, $"policy v{held.Version}"),
            _ => new WaitsFor(Parts.Dispatcher, "work"),
        });
    }

    private ISampler Start(Func<ISampler> engine)
    {
        try
        {
            return engine();
        }
        catch (Exception failure)
        {
            // The supervisor tries again; that it fails and why is told to the monitor.
            _refs.Monitor.Tell(RunProtocol.PartFailed.Of(Parts.Sampler(_name), failure));
            throw;
        }
    }

    /// <summary>The engine or the policy cannot be used: this incarnation ends, its supervisor starts another.</summary>
    private void Fail(Status.Failure failure)
    {
        if (_stopping.IsCancellationRequested) return;
        DeviceLost.PublishIfSticky(Context.System, Parts.Sampler(_name), failure.Cause);
        _refs.Monitor.Tell(RunProtocol.PartFailed.Of(Parts.Sampler(_name), failure.Cause));
        Context.Stop(Self);
    }

    private void AwaitFinished() => _ = _engine.NextFinishedAsync(_stopping.Token).PipeTo(Self, success: list => new Finished(list));

    private sealed record Finished(IReadOnlyList<Trajectory> Trajectories) : ILocalMessage;

    private sealed record InFlight(IReadOnlyList<RolloutInFlight> Canvases) : ILocalMessage;

    private sealed class ReportCanvases : ILocalMessage
    {
        public static ReportCanvases Instance { get; } = new();
    }

    private sealed record Swapped(PolicyManifest Policy) : ILocalMessage;
}
