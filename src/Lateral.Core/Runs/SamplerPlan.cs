using System.Collections.Immutable;

namespace Lateral.Core.Runs;

/// <summary>
/// Decides what a sampler may start under its current policy and which policy it needs next.
/// </summary>
/// <param name="Current">the version the engine runs under; null before the first policy</param>
/// <param name="Latest">the newest published version</param>
/// <param name="Held">leased work that has not started</param>
/// <param name="Active">rollouts in the engine</param>
public sealed record SamplerPlan(int? Current, int? Latest, ImmutableArray<SampleWork> Held, int Active)
{
    public static SamplerPlan Empty { get; } = new(null, null, [], 0);

    /// <summary>Held work that may start now: pinned work under exactly its version, other work from its version on.</summary>
    public ImmutableArray<SampleWork> Startable => Current is { } current
        ? [.. Held.Where(work => work.Pinned ? work.Version == current : work.Version <= current)]
        : [];

    /// <summary>
    /// The policies that can be had have changed. Pinned work of a version before the oldest is let go: its group was completed
    /// by another sampler, and waiting for its policy would hold up everything else for ever.
    /// </summary>
    public SamplerPlan Publish(int oldest, int latest) =>
        this with { Latest = latest, Held = Held.RemoveAll(work => work.Pinned && work.Version < oldest) };

    /// <summary>
    /// The version to swap to before more can be done, or null. Pinned work makes the engine drain first: its canvases
    /// belong to one version. Without pinned work the newest policy is taken between two denoising steps.
    /// </summary>
    public int? SwapTo
    {
        get
        {
            if (!PinnedMode) return Latest is { } latest && (Current is null || Current < latest) ? latest : null;
            if (Active > 0 || !Startable.IsEmpty) return null;
            return Held.Where(work => work.Version <= Latest).Select(work => (int?)work.Version).Min();
        }
    }

    /// <summary>Deterministic runs: every piece of work is pinned, and the newest policy is never taken unasked.</summary>
    public bool PinnedMode { get; init; }
}
