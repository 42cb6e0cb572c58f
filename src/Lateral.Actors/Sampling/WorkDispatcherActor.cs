using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Lateral.Actors.Hosting;
using Lateral.Actors.Serialization;
using Lateral.Core.Runs;
using static Lateral.Actors.Sampling.SamplingProtocol;

namespace Lateral.Actors.Sampling;

/// <summary>
/// Work pulling: entities submit missing siblings, samplers ask for work, leases bind the two. All of it is in memory;
/// entities submit again and samplers ask again, so a restart loses nothing.
/// </summary>
internal sealed class WorkDispatcherActor : ReceiveActor, IWithTimers
{
    /// <summary>A sampler confirms a grant at once, whatever its device is busy with.</summary>
    private static readonly TimeSpan ConfirmTime = TimeSpan.FromSeconds(3);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly TimeProvider _time;
    private readonly Dictionary<string, (IActorRef Ref, int FreeSlots)> _samplers = new(StringComparer.Ordinal);
    private LeaseBook _book;
    private readonly IActorRef _monitor;
    private PoliciesPublished? _policies;
    private int _reissued;

    public WorkDispatcherActor(TimeSpan leaseTime, IActorRef monitor, TimeProvider time)
    {
        (_time, _book, _monitor) = (time, new LeaseBook(leaseTime, ConfirmTime), monitor);
        Receive<SubmitWork>(m => Update(_book.Submit(m.Work)));
        Receive<RequestWork>(Serve);
        Receive<CanvasesReported>(m => Update(_book.Report(m.Sampler, m.Work, m.Canvases, Now)));
        Receive<CompleteLease>(m => Update(_book.Complete(m.Sampler, m.Group)));
        Receive<PoliciesPublished>(Publish);
        Receive<Terminated>(m => Forget(sampler => sampler.Equals(m.ActorRef)));
        Receive<ClusterEvent.UnreachableMember>(m => Forget(sampler => sampler.Path.Address.Equals(m.Member.Address)));
        Receive<Tick>(_ => Repeat());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private TimeSpan Now => _time.GetElapsedTime(0);

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.FromSeconds(1));
        Reachability.Follow(Context);
    }

    protected override void PostStop() => Reachability.Leave(Context);

    private void Serve(RequestWork request)
    {
        if (!_samplers.TryGetValue(request.Sampler, out var known) || !known.Ref.Equals(Sender))
        {
            // A new incarnation of the sampler knows nothing of the old one's leases.
            _book = _book.Release(request.Sampler);
            Context.Watch(Sender);
            if (_policies is not null) Sender.Tell(_policies);
        }

        _samplers[request.Sampler] = (Sender, request.FreeSlots);
        Grant();
    }

    private void Publish(PoliciesPublished published)
    {
        _policies = published;
        foreach (var (sampler, _) in _samplers.Values) sampler.Tell(published);
        Grant();
    }

    /// <summary>A sampler that was silent only for a while asks for work again and is known again.</summary>
    private void Forget(Func<IActorRef, bool> which)
    {
        foreach (var (name, _) in _samplers.Where(pair => which(pair.Value.Ref)).ToArray())
        {
            _log.Warning("sampler {0} is gone or silent; its leases wait again", name);
            _samplers.Remove(name);
            _book = _book.Release(name);
        }

        Grant();
    }

    private void Repeat()
    {
        var held = _book.Leases.Count;
        _book = _book.Expire(Now);
        _reissued += held - _book.Leases.Count;
        Grant();
        Report();
    }

    private void Report()
    {
        var oldest = _book.Leases.IsEmpty ? TimeSpan.Zero : Now - _book.Leases.Values.Min(lease => lease.Granted);
        _monitor.Tell(new PartStatus(Parts.Dispatcher, _book.Queue.IsEmpty ? Phase.Idle : Phase.Dispatching)
            .With(Figures.Queued, _book.Queue.Count)
            .With(Figures.Leased, _book.Leases.Count)
            .With(Figures.OldestLeaseSeconds, oldest.TotalSeconds)
            .With(Figures.DeadlineSeconds, _book.LeaseTime.TotalSeconds)
            .With(Figures.Reissued, _reissued));
    }

    private void Update(LeaseBook book)
    {
        _book = book;
        Grant();
    }

    private void Grant()
    {
        if (_book.Queue.IsEmpty || _policies is null) return;
        foreach (var (name, (sampler, freeSlots)) in _samplers.Where(pair => pair.Value.FreeSlots > 0).ToArray())
        {
            (_book, var granted) = _book.Grant(name, freeSlots, Now);
            if (granted.IsEmpty) return;
            _samplers[name] = (sampler, freeSlots - granted.Sum(work => work.Siblings.Length));
            // What does not fit one message begins anew: that costs steps, nothing else.
            foreach (var work in granted) sampler.Tell(new WorkLeased([work with { Begun = Parcel.First(work.Begun, Parcel.SizeOf) }]));
        }
    }
}
