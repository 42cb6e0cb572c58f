using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// The trajectory's own likelihood: log pi = sum over steps t of sum over i in S_t of log pi(token_i | state_t), scored again on the
/// recorded states. Its behaviour value is what the sampler wrote down. The selection's factor is 0 or free of the weights for most reveal rules; where it
/// is not, values of steps and of whole completions hold it.
/// </summary>
/// <param name="unit">a token; a step = the sum over its tokens; the completion = the mean or the sum over its tokens (GSPO, arXiv 2507.18071, equation 7)</param>
/// <param name="subset">which of the recorded states are scored; of a token or a step only</param>
/// <param name="drawn">how the sampler drew the positions of a step, where that is part of the likelihood; null = it is not</param>
public sealed class TrajectoryLikelihood(RatioGranularity unit, StepSubset subset, RolloutSpec? drawn = null) : ILikelihood
{
    private readonly RolloutSpec? _drawn = unit is RatioGranularity.Step or RatioGranularity.SequenceSum ? drawn : null;
    private readonly SelectionLaw _law = drawn is null ? SelectionLaw.Free : RevealRules.ByName(drawn.Reveal).Law;

    public string Name => subset.Name;

    public RatioGranularity Unit => unit;

    public bool Recorded => true;

    public bool Separable => !OfCompletion;

    private bool OfCompletion => unit is RatioGranularity.Sequence or RatioGranularity.SequenceSum;

    public LikelihoodPlan Plan(Trajectory trajectory, in PlanKey key)
    {
        var (views, units) = (ImmutableArray.CreateBuilder<StateView>(), ImmutableArray.CreateBuilder<PlannedUnit>());
        var byStep = Enumerable.Range(0, trajectory.RevealStep.Length).ToLookup(position => trajectory.RevealStep[position]);
        var mean = unit == RatioGranularity.Sequence ? 1f / Math.Max(1, trajectory.RevealedCount) : 1;
        if (OfCompletion) units.Add(new((trajectory.TokenLogProbs.Sum() + (_drawn is null ? 0 : trajectory.SelectionLogProbs.Sum())) * mean, 1, -1));
        foreach (var (step, weight) in subset.Of(trajectory, key))
        {
            var questions = ImmutableArray.CreateBuilder<Question>();
            if (unit == RatioGranularity.Step) units.Add(new(byStep[step].Sum(position => trajectory.TokenLogProbs[position]) + (_drawn is null ? 0 : trajectory.SelectionLogProbs[step]), weight, step));
            foreach (var position in byStep[step])
            {
                if (unit == RatioGranularity.Token) units.Add(new(trajectory.TokenLogProbs[position], weight, step));
                questions.Add(new(position, units.Count - 1, mean));
            }

            views.Add(StateView.Before(step, trajectory, questions.ToImmutable()) with { Draw = DrawOf(step, trajectory, [.. byStep[step]], units.Count - 1) });
        }

        return new(views.ToImmutable(), units.ToImmutable());
    }

    /// <summary>Null where all that is left of the block was revealed: that is certain under any weights.</summary>
    private DrawQuestion? DrawOf(int step, Trajectory trajectory, int[] revealed, int unitOfStep)
    {
        if (_drawn is null) return null;
        var first = step / _drawn.StepsPerBlock * _drawn.BlockLength;
        var others = Enumerable.Range(first, _drawn.BlockLength).Where(position => (uint)trajectory.RevealStep[position] > (uint)step).ToArray();
        if (others.Length == 0) return null;
        IEnumerable<int> inOrder = trajectory.RevealRank.IsEmpty ? revealed : revealed.OrderBy(position => trajectory.RevealRank[position]);
        return new(_law, [.. inOrder, .. others], revealed.Length, unitOfStep);
    }

    public Tensor Combine(Tensor logp_N, DeviceQuestions questions, DeviceUnits units) => LinearCombination.Of(logp_N, questions, units);
}
