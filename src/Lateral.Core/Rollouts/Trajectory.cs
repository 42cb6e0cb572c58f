using System.Collections.Immutable;
using Lateral.Core.Policies;

namespace Lateral.Core.Rollouts;

/// <summary>Renders as <c>group=5/rollout=2</c>.</summary>
public readonly record struct RolloutId(long Group, int Sibling) : IComparable<RolloutId>
{
    public int CompareTo(RolloutId other) => (Group, Sibling).CompareTo((other.Group, other.Sibling));

    public override string ToString() => $"group={Group}/rollout={Sibling}";
}

/// <summary>
/// The full denoising record of one rollout: every intermediate canvas can be rebuilt from it, and its probability is exact.
/// Example (L = 5, 3 steps): <c>tokens [1,1,3,4,5], reveal step [0,2,1,1,0], token log-probs [-.1,-.9,-.2,-.3,-.1],
/// selection log-probs [0,0,0], policies [(0, v3, "9f3c..")]</c>.
/// </summary>
/// <param name="Prompt">[P] prompt token ids</param>
/// <param name="Tokens">[L] generated token ids; where <paramref name="RevealStep"/> is -1 the end token fills the tail</param>
/// <param name="RevealStep">[L] the denoising step that revealed the position; -1 = never revealed (early finish at end of sequence)</param>
/// <param name="TokenLogProbs">[L] natural log of the behaviour policy's tempered probability of the token at its reveal; 0 where never revealed</param>
/// <param name="SelectionLogProbs">[S] natural log-probability of the revealed set at each step; 0 for deterministic rules</param>
/// <param name="RevealEntropy">mean over revealed positions of the token distribution's entropy at the reveal, in nats</param>
/// <param name="Policies">the policy of each denoising step, run-length encoded; the first starts at step 0</param>
/// <param name="Text">the decoded completion, up to the end token</param>
public sealed record Trajectory(
    RolloutId Id,
    ImmutableArray<int> Prompt,
    ImmutableArray<int> Tokens,
    ImmutableArray<int> RevealStep,
    ImmutableArray<float> TokenLogProbs,
    ImmutableArray<float> SelectionLogProbs,
    float RevealEntropy,
    ImmutableArray<PolicySpan> Policies,
    string Text)
{
    /// <summary>What the sampler's last weights thought of the finished rollout, by a surrogate of the likelihood; null where the record itself is the likelihood.</summary>
    public SurrogateValues? Surrogate { get; init; }

    /// <summary>[L] place of the position in the order in which its step drew it; empty where a step's order has no meaning.</summary>
    public ImmutableArray<int> RevealRank { get; init; } = [];

    /// <summary>
    /// Tokens that candidates drew and that stayed masked, by step and then by position; empty where no reveal rule asked for them. Example (L = 3, a token a step, position 1
    /// revealed first and then 0): <c>[4, 2, 7]</c>, 4 and 2 of positions 0 and 2 at step 0, 7 of position 2 at step 1.
    /// </summary>
    public ImmutableArray<int> MaskedDraws { get; init; } = [];

    /// <summary>
    /// [S] the answer that the model found likeliest, position by position, in the state before each step (x0 of that step), decoded like <see cref="Text"/>; empty where no advantage asks
    /// for it. Example: <c>["3345", "1345"]</c>.
    /// </summary>
    public ImmutableArray<string> Guesses { get; init; } = [];

    /// <summary>
    /// Positions whose tokens stood there from the start, ascending: no step revealed them (their reveal step is -1), every step saw them, and nothing of them is learned from. Empty for
    /// all but hinted rollouts.
    /// </summary>
    public ImmutableArray<int> Given { get; init; } = [];

    /// <summary>Whether a position is masked in the state before a step; a token that never was revealed is in all of them, unless it was given.</summary>
    // Never revealed is -1, which as an unsigned number is after every step.
    public bool IsMasked(int position, int step) => (uint)RevealStep[position] >= (uint)step && Given.BinarySearch(position) < 0;

    /// <summary>Recorded denoising steps, S.</summary>
    public int Steps => SelectionLogProbs.Length;

    /// <summary>The oldest policy version any step was computed under: staleness is counted from it.</summary>
    public int OldestVersion => Policies.Min(span => span.Version);

    public int NewestVersion => Policies.Max(span => span.Version);

    /// <summary>Positions that were revealed.</summary>
    public int RevealedCount => RevealStep.Count(step => step >= 0);
}

/// <summary>Example: <c>coupled(mask-high=0.8,mask-low=0.2)/token [-2.1,-.4,-.9,-1.6,-.2]</c>.</summary>
/// <param name="Identity">of the surrogate with its settings: another one's values are another quantity</param>
/// <param name="Values">by unit of its plan, natural log</param>
public sealed record SurrogateValues(string Identity, ImmutableArray<float> Values)
{
    public bool Equals(SurrogateValues? other) => other is not null && Identity == other.Identity && Values.AsSpan().SequenceEqual(other.Values.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Identity, Values.Length);
}
