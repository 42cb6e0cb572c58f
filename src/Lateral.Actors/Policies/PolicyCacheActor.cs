using Akka.Actor;
using Lateral.Core.Policies;
using Lateral.Core.Runs;

namespace Lateral.Actors.Policies;

/// <summary>
/// One per sampler node: a policy is fetched and verified once, however many samplers of the node ask for it. Where policies
/// come from is the publisher's to say; it is asked again while one is waited for, so that a learner which came up elsewhere is found.
/// </summary>
internal sealed class PolicyCacheActor : ReceiveActor, IWithTimers
{
    private readonly Func<PolicySource, IPolicyCache> _connect;
    private readonly IActorRef _publisher;
    private readonly TimeSpan _deadline;
    private readonly IActorRef _monitor;
    private readonly Dictionary<PolicyManifest, List<IActorRef>> _waiting = [];
    private CancellationTokenSource _fetching = new();
    private PolicySource? _source;
    private IPolicyCache? _cache;

    /// <param name="connect">a cache of the policies of a source</param>
    /// <param name="deadline">for one policy, all attempts together</param>
    public PolicyCacheActor(Func<PolicySource, IPolicyCache> connect, IActorRef publisher, TimeSpan deadline, IActorRef monitor)
    {
        (_connect, _publisher, _deadline, _monitor) = (connect, publisher, deadline, monitor);
        Receive<Tick>(_ => Repeat());
        Receive<EnsurePolicy>(Ensure);
        Receive<PolicyPublisherActor.PolicySourceIs>(m => Connect(m.Source));
        Receive<Fetched>(m => m.Source == _source, Answer);
        Receive<Fetched>(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.FromSeconds(1));
        Repeat();
    }

    protected override void PostStop() => Disconnect();

    private void Repeat()
    {
        if (_source is null || _waiting.Count > 0) _publisher.Tell(new PolicyPublisherActor.GetPolicySource());
        _monitor.Tell(_waiting.Count == 0
            ? new PartStatus(Parts.PolicyCache, Phase.Idle)
            : new PartStatus(Parts.PolicyCache, Phase.Fetching, $"policy v{_waiting.Keys.Min(policy => policy.Version)}"));
    }

    private void Ensure(EnsurePolicy wanted)
    {
        if (_waiting.TryGetValue(wanted.Policy, out var others))
        {
            others.Add(Sender);
            return;
        }

        _waiting[wanted.Policy] = [Sender];
        if (_cache is not null) Fetch(wanted.Policy);
    }

    private void Connect(PolicySource source)
    {
        if (source == _source) return;
        Disconnect();
        (_source, _cache, _fetching) = (source, _connect(source), new CancellationTokenSource());
        foreach (var policy in _waiting.Keys) Fetch(policy);
    }

    private void Disconnect()
    {
        _fetching.Cancel();
        _fetching.Dispose();
        (_cache as IDisposable)?.Dispose();
    }

    private void Answer(Fetched fetched)
    {
        _waiting.Remove(fetched.Policy, out var waiting);
        object answer = fetched.Failure is null ? new PolicyReady(fetched.Policy, fetched.Path) : new Status.Failure(fetched.Failure);
        foreach (var sampler in waiting ?? []) sampler.Tell(answer);
    }

    private void Fetch(PolicyManifest policy) => _ = FetchAsync(_cache!, _source!, policy, _deadline, _fetching.Token).PipeTo(Self);

    private static async Task<Fetched> FetchAsync(IPolicyCache cache, PolicySource source, PolicyManifest policy, TimeSpan deadline, CancellationToken stopping)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        waiting.CancelAfter(deadline);
        try
        {
            return new Fetched(source, policy, await cache.FetchAsync(policy, waiting.Token), null);
        }
        catch (Exception failure)
        {
            // Handed to every sampler that waits for this policy: their supervisor decides.
            return new Fetched(source, policy, "", failure);
        }
    }

    public sealed record EnsurePolicy(PolicyManifest Policy) : ILocalMessage;

    /// <param name="Path">a verified local copy</param>
    public sealed record PolicyReady(PolicyManifest Policy, string Path) : ILocalMessage;

    private sealed record Fetched(PolicySource Source, PolicyManifest Policy, string Path, Exception? Failure) : ILocalMessage;
}
