using Akka.Actor;
using Lateral.Actors.Hosting;
using Lateral.Actors.Policies;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Runs;
using static Lateral.Actors.Learning.GradientProtocol;

namespace Lateral.Actors.Learning;

/// <summary>Whom a learner rank talks to.</summary>
internal sealed record RankRefs(IActorRef Gradients, IActorRef Groups, IActorRef PolicyCache, IActorRef Publisher, IActorRef Monitor);

/// <summary>
/// One device that computes gradient shards for the learner: pulls a shard, fetches its weights and its groups, computes, sends
/// the gradient, and asks for the next. Nothing is lost with it, because whatever it was given is given to another.
/// </summary>
internal sealed class RankActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan FetchDeadline = TimeSpan.FromSeconds(10), Pause = TimeSpan.FromSeconds(1);

    private readonly string _name;
    private readonly RankRefs _refs;
    private readonly IGradientRank _engine;
    private readonly BatchFetcher _fetcher;
    private readonly TimeSpan _deadline;
    private readonly CancellationTokenSource _stopping = new();
    private PolicySource? _source;
    private IGradientSink? _sink;
    private LearnerBatch? _batch;
    private ShardGranted? _working;
    private long _request;

    /// <param name="connect">takes gradients to the learner's node</param>
    /// <param name="deadline">for one shard: after it somebody else has it, too</param>
    public RankActor(string name, RankRefs refs, Func<IGradientRank> engine, Func<PolicySource, IGradientSink> connect, TimeSpan deadline)
    {
        (_name, _refs, _deadline) = (name, refs, deadline);
        _fetcher = new BatchFetcher(refs.Groups, FetchDeadline);
        _engine = Start(engine);
        Receive<Tick>(_ => Repeat());
        Receive<PolicyPublisherActor.PolicySourceIs>(m => m.Source != _source, m =>
        {
            (_sink as IDisposable)?.Dispose();
            (_source, _sink) = (m.Source, connect(m.Source));
            Ask();
        });
        Receive<PolicyPublisherActor.PolicySourceIs>(_ => { });
        Receive<ShardGranted>(m => m.Request == _request && _working is null, Work);
        Receive<ShardGranted>(_ => { });
        Receive<Done>(_ => Finish());
        Receive<Status.Failure>(Fail);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.FromSeconds(1));
        Repeat();
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        // The engine joins its thread within its own deadline; a failed join ends in that task, not in this actor.
        _ = _engine.DisposeAsync().AsTask();
        (_sink as IDisposable)?.Dispose();
        _stopping.Dispose();
    }

    private void Repeat()
    {
        _refs.Publisher.Tell(new PolicyPublisherActor.GetPolicySource());
        Ask();
        _refs.Monitor.Tell(_working is { } shard
            ? new PartStatus(Parts.Rank(_name), Phase.Training, $"shard {shard.Shard} of step {shard.Update.Step}")
            : new PartStatus(Parts.Rank(_name), Phase.Waiting, Waits: new WaitsFor(Parts.Learner, "a gradient shard")));
    }

    private void Ask()
    {
        if (_working is null && _sink is not null) _refs.Gradients.Tell(new RankReady(_name, _request));
    }

    private void Work(ShardGranted granted)
    {
        _working = granted;
        _ = ComputeAsync(granted, _sink!).PipeTo(Self);
    }

    private void Finish()
    {
        (_working, _request) = (null, _request + 1);
        Ask();
    }

    private async Task<Done> ComputeAsync(ShardGranted granted, IGradientSink sink)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        deadline.CancelAfter(_deadline);
        try
        {
            var ready = await _refs.PolicyCache.Ask<PolicyCacheActor.PolicyReady>(new PolicyCacheActor.EnsurePolicy(granted.Weights), _deadline, deadline.Token);
            await _engine.LoadAsync(granted.Weights, ready.Path, deadline.Token);
            var batch = await FetchAsync(granted, deadline.Token);
            var update = new GradientUpdate(batch, granted.Update.Update, granted.Shards, granted.Length, granted.Weights, granted.Cuts.IsEmpty ? null : granted.Cuts);
            var (gradient, report) = await _engine.ComputeAsync(update, granted.Shard, deadline.Token);
            await sink.SendAsync(granted.Update, granted.Shard, gradient, report, deadline.Token);
        }
        catch (OperationCanceledException late) when (deadline.IsCancellationRequested)
        {
            throw new TimeoutException($"shard {granted.Shard} of step {granted.Update.Step} was not done within {_deadline.TotalSeconds:0} s (learner.shard-deadline)", late);
        }
        catch (Exception error) when (error is PolicyUnavailableException or BatchUnavailableException or IOException or AskTimeoutException or ObjectDisposedException or OperationCanceledException)
        {
            // Nothing is wrong with this device: the step may be over, or the learner gone. Another rank has the shard then.
            _refs.Monitor.Tell(new PartStatus(Parts.Rank(_name), Phase.Waiting, Waits: new WaitsFor(Parts.Learner, error.Message)));
            await Task.Delay(Pause, deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return Done.Instance;
    }

    /// <summary>The shards of a step are of one batch.</summary>
    private async Task<LearnerBatch> FetchAsync(ShardGranted granted, CancellationToken cancellation)
    {
        var (epoch, step, _) = granted.Update;
        if (_batch is not { } known || known.Epoch != epoch || known.Step != step) _batch = await _fetcher.FetchAsync(epoch, granted.Batch, granted.PlannedGroups, cancellation);
        return _batch;
    }

    private IGradientRank Start(Func<IGradientRank> engine)
    {
        try
        {
            return engine();
        }
        catch (Exception failure)
        {
            // The keeper tries again; that it fails and why is told to the monitor.
            _refs.Monitor.Tell(Runs.RunProtocol.PartFailed.Of(Parts.Rank(_name), failure));
            throw;
        }
    }

    /// <summary>The engine cannot be used, or is stuck: this incarnation ends, its keeper starts another.</summary>
    private void Fail(Status.Failure failure)
    {
        if (_stopping.IsCancellationRequested) return;
        DeviceLost.PublishIfSticky(Context.System, Parts.Rank(_name), failure.Cause);
        _refs.Monitor.Tell(Runs.RunProtocol.PartFailed.Of(Parts.Rank(_name), failure.Cause));
        Context.Stop(Self);
    }

    private sealed class Done : ILocalMessage
    {
        public static Done Instance { get; } = new();
    }
}
