using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Sampling;

/// <summary>Conversations with the work dispatcher.</summary>
public static class SamplingProtocol
{
    /// <summary>An entity's missing siblings; repeated, de-duplicated by group.</summary>
    public sealed record SubmitWork(SampleWork Work) : IRemoteMessage;

    /// <summary>A sampler has room for so many more rollouts; replaces its earlier request.</summary>
    public sealed record RequestWork(string Sampler, int FreeSlots) : IRemoteMessage;

    public sealed record WorkLeased(ImmutableArray<SampleWork> Work) : IRemoteMessage;

    /// <summary>
    /// How far a lease has come, so that another sampler can go on with it (R3); said again and again, also of a lease that nothing
    /// is known of yet, from which a dispatcher that was started again learns who has it.
    /// </summary>
    /// <param name="Work">the lease, without canvases</param>
    public sealed record CanvasesReported(string Sampler, SampleWork Work, ImmutableArray<RolloutInFlight> Canvases) : IRemoteMessage;

    /// <summary>All leased siblings of the group are in its entity's journal.</summary>
    public sealed record CompleteLease(string Sampler, long Group) : IRemoteMessage;

    /// <summary>Policies a sampler may need, the newest last; repeated.</summary>
    public sealed record PoliciesPublished(ImmutableArray<PolicyManifest> Policies) : IRemoteMessage;
}
