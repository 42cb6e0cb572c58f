using Akka.Actor;
using Lateral.Core.Policies;
using Lateral.Core.Runs;

namespace Lateral.Actors.Policies;

/// <summary>One per sampler node: a policy is fetched and verified once, however many samplers of the node ask for it.</summary>
internal sealed class PolicyCacheActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan FetchDeadline = TimeSpan.FromMinutes(10);

    private readonly Dictionary<PolicyManifest, List<IActorRef>> _waiting = [];
    private readonly IActorRef _monitor;

    public PolicyCacheActor(IPolicyCache cache, IActorRef monitor)
    {
        _monitor = monitor;
        Receive<Tick>(_ => Report());
        Receive<EnsurePolicy>(m =>
        {
            if (_waiting.TryGetValue(m.Policy, out var others))
            {
                others.Add(Sender);
                return;
            }

            _waiting[m.Policy] = [Sender];
            _ = Fetch(cache, m.Policy).PipeTo(Self);
        });
        Receive<Fetched>(m =>
        {
            _waiting.Remove(m.Policy, out var waiting);
            object answer = m.Failure is null ? new PolicyReady(m.Policy, m.Path) : new Status.Failure(m.Failure);
            foreach (var sampler in waiting ?? []) sampler.Tell(answer);
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.FromSeconds(1));

    private void Report() => _monitor.Tell(_waiting.Count == 0
        ? new PartStatus(Parts.PolicyCache, Phase.Idle)
        : new PartStatus(Parts.PolicyCache, Phase.Fetching, $"policy v{_waiting.Keys.Min(policy => policy.Version)}"));

    private static async Task<Fetched> Fetch(IPolicyCache cache, PolicyManifest policy)
    {
        using var deadline = new CancellationTokenSource(FetchDeadline);
        try
        {
            return new Fetched(policy, await cache.FetchAsync(policy, deadline.Token), null);
        }
        catch (Exception failure)
        {
            // Handed to every sampler that waits for this policy: their supervisor decides.
            return new Fetched(policy, "", failure);
        }
    }

    public sealed record EnsurePolicy(PolicyManifest Policy) : ILocalMessage;

    /// <param name="Path">a verified local copy</param>
    public sealed record PolicyReady(PolicyManifest Policy, string Path) : ILocalMessage;

    private sealed record Fetched(PolicyManifest Policy, string Path, Exception? Failure) : ILocalMessage;
}
