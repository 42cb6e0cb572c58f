using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;

namespace Lateral.Core.Rollouts;

/// <summary>How a completion is denoised; part of the behaviour policy's identity.</summary>
/// <param name="GenLength">L, generated tokens</param>
/// <param name="BlockLength">tokens denoised together; divides <paramref name="GenLength"/></param>
/// <param name="Steps">denoising steps for the whole completion, the most where a rule reveals as much as it dares or likes; a multiple of the number of blocks</param>
/// <param name="Temperature">softmax(logits / T); 0 is greedy (evaluation only: a greedy policy has no importance ratio)</param>
/// <param name="Reveal">the selection policy's name, see <see cref="RevealRules"/></param>
/// <param name="StopAtEnd">finish as soon as everything before a revealed end token is revealed</param>
public sealed record RolloutSpec(int GenLength, int BlockLength, int Steps, double Temperature, string Reveal, bool StopAtEnd)
{
    /// <summary>How sure <c>threshold</c> (a probability) and <c>entropy-bounded</c> (nats) have to be; 0 for all other rules.</summary>
    public double RevealLimit { get; init; }

    /// <summary>Null = every rollout begins with masks only.</summary>
    public HintSpec? Hints { get; init; }

    public int Blocks => GenLength / BlockLength;

    public int StepsPerBlock => Steps / Blocks;
}

/// <summary>
/// Inpainting (IGPO, Zhao et al., arXiv 2509.10396): some rollouts of a group begin with parts of a right answer in place, so that a prompt that nobody solves still has something to
/// learn from. See <see cref="HintedChunks"/> for which parts, and Learning.HintedGroups for when they count.
/// </summary>
/// <param name="Rollouts">the first so many siblings of a group</param>
/// <param name="Least">least share of the answer's chunks that is given</param>
/// <param name="Most">and the greatest; a rollout's own is uniform between them</param>
/// <param name="Chunk">tokens of a chunk</param>
public sealed record HintSpec(int Rollouts, double Least, double Most, int Chunk);

/// <summary>Work for a sampler: the listed siblings of one group.</summary>
/// <param name="Group">group ordinal; for evaluation, the held-out prompt's index</param>
/// <param name="Evaluation">draw from the evaluation streams and stay outside the ledger</param>
public sealed record SampleTask(long Group, ImmutableArray<int> Siblings, Prompt Prompt, RolloutSpec Spec, bool Evaluation)
{
    /// <summary>Siblings that another sampler has begun: they go on where they were, the others begin.</summary>
    public ImmutableArray<RolloutInFlight> Begun { get; init; } = [];
}

/// <summary>
/// A rollout between two denoising steps: all that another sampler needs to go on with it. Every draw is keyed by rollout, step and
/// position, so under the same policy the rest comes out as it would have.
/// </summary>
/// <param name="SoFar">what the finished steps recorded; a token whose reveal step is -1 is still masked, and there is no text yet</param>
/// <param name="RevealEntropySum">sum over revealed positions of the token distribution's entropy at the reveal, in nats</param>
public sealed record RolloutInFlight(Trajectory SoFar, double RevealEntropySum)
{
    public RolloutId Id => SoFar.Id;

    /// <summary>The denoising step that comes next.</summary>
    public int Step => SoFar.Steps;
}

/// <summary>Cumulative figures of one sampler since it started; seconds are monotonic-clock time of its device thread.</summary>
/// <param name="BusySeconds">spent in denoising steps</param>
/// <param name="IdleSeconds">had no canvas to work on</param>
/// <param name="SwapSeconds">spent loading new policies</param>
/// <param name="Forwards">model forwards</param>
/// <param name="RowSteps">sum over forwards of the canvases active in them</param>
/// <param name="SlotSteps">sum over forwards of the slots computed, active or not: RowSteps / SlotSteps is the occupancy</param>
public sealed record SamplerStatistics(
    double BusySeconds, double IdleSeconds, double SwapSeconds, long Forwards, long RowSteps, long SlotSteps, long Tokens, long Rollouts)
{
    public static SamplerStatistics Zero { get; } = new(0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>Canvases denoised at once now: fewer than were asked for where memory did not suffice. 0 = nothing was denoised yet. No part of a sum.</summary>
    public int Slots { get; init; }

    /// <summary>
    /// By how many nats per token the current policy's canary differed from the learner's, of several samplers the largest; null =
    /// nothing was compared. No part of a sum.
    /// </summary>
    public double? CanaryDifference { get; init; }

    public static SamplerStatistics operator +(SamplerStatistics a, SamplerStatistics b) => new(
        a.BusySeconds + b.BusySeconds, a.IdleSeconds + b.IdleSeconds, a.SwapSeconds + b.SwapSeconds,
        a.Forwards + b.Forwards, a.RowSteps + b.RowSteps, a.SlotSteps + b.SlotSteps, a.Tokens + b.Tokens, a.Rollouts + b.Rollouts);

    public static SamplerStatistics operator -(SamplerStatistics a, SamplerStatistics b) => new(
        a.BusySeconds - b.BusySeconds, a.IdleSeconds - b.IdleSeconds, a.SwapSeconds - b.SwapSeconds,
        a.Forwards - b.Forwards, a.RowSteps - b.RowSteps, a.SlotSteps - b.SlotSteps, a.Tokens - b.Tokens, a.Rollouts - b.Rollouts);
}

/// <summary>
/// A device's continuous batch of canvases. Calls return at once; all work happens on the engine's own device thread.
/// A failed engine fails the pending <see cref="NextFinishedAsync"/> and refuses further calls: its owner replaces it.
/// </summary>
public interface ISampler : IAsyncDisposable
{
    /// <summary>Queues the task's siblings; each enters a slot at a denoising-step boundary as slots become free.</summary>
    void Submit(SampleTask task);

    /// <summary>Drops the group's queued and running canvases.</summary>
    void Cancel(long group);

    /// <summary>Loads a policy and makes it current at the next denoising-step boundary; running canvases continue under it.</summary>
    /// <param name="path">a verified local copy of the payload</param>
    /// <exception cref="PolicyUnavailableException">the policy cannot be used; nothing is denoised under what is neither it nor the one before</exception>
    Task SwapAsync(PolicyManifest manifest, string path);

    /// <summary>The rollouts that finished since the last call; waits until there is at least one. One call at a time.</summary>
    Task<IReadOnlyList<Trajectory>> NextFinishedAsync(CancellationToken cancellation);

    /// <summary>Rollouts of the ledger that have taken a step and are not finished, as they are between two steps. None where an engine cannot hand them on.</summary>
    Task<IReadOnlyList<RolloutInFlight>> InFlightAsync() => Task.FromResult<IReadOnlyList<RolloutInFlight>>([]);

    SamplerStatistics Statistics { get; }
}
