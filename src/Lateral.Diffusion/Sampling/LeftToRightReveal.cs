using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// Reveals the K leftmost candidates: the order of an autoregressive model, free of the weights, so trajectories are exact under any of them. With one
/// token a step it is JustGRPO's training order (arXiv 2601.15165).
/// </summary>
public sealed class LeftToRightReveal : ISelectionPolicy
{
    public string Name => "left-to-right";

    public Exactness Exactness => Exactness.OnAndOffPolicy;

    public bool Draws => false;

    public float Select(in CandidateStatistics candidates, Span<int> chosen)
    {
        if (chosen.Length > candidates.Count) throw new ArgumentException($"{chosen.Length} of {candidates.Count} candidates cannot be revealed", nameof(chosen));
        for (var i = 0; i < chosen.Length; i++) chosen[i] = i;
        return 0;
    }
}
