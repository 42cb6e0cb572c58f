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
/// <param name="causal">of an autoregressive model, in which no token sees what stands behind it: one forward of the finished rollout answers for all states</param>
/// <param name="twoStage">of tokens: the factor of a step is a unit of its own beside theirs (MAPG, arXiv 2607.15200); on weights that sampled, all units together have the gradient of the step</param>
public sealed class TrajectoryLikelihood(RatioGranularity unit, StepSubset subset, RolloutSpec? drawn = null, bool twoStage = false, bool causal = false) : ILikelihood
{
    private readonly RolloutSpec? _drawn = twoStage || unit is RatioGranularity.Step or RatioGranularity.SequenceSum ? drawn : null;
    private readonly RevealRule? _rule = drawn is null ? null : RevealRules.ByName(drawn.Reveal);

    public string Name => twoStage ? "trajectory-two-stage" : subset.Name;

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
        var masked = MaskedDraws(trajectory);
        foreach (var (step, weight) in subset.Of(trajectory, key))
        {
            var questions = ImmutableArray.CreateBuilder<Question>();
            if (unit == RatioGranularity.Step) units.Add(new(byStep[step].Sum(position => trajectory.TokenLogProbs[position]) + (_drawn is null ? 0 : trajectory.SelectionLogProbs[step]), weight, step));
            foreach (var position in byStep[step])
            {
                if (unit == RatioGranularity.Token) units.Add(new(trajectory.TokenLogProbs[position], weight, step) { Position = position });
                questions.Add(new(position, units.Count - 1, mean));
            }

            var draw = DrawOf(step, trajectory, [.. byStep[step]], masked, twoStage ? units.Count : units.Count - 1);
            if (twoStage && draw is not null) units.Add(new(trajectory.SelectionLogProbs[step], weight, step));
            views.Add(StateView.Before(step, trajectory, questions.ToImmutable()) with { Draw = draw });
        }

        return new(causal ? [StateView.Before(trajectory.Steps, trajectory, [.. views.SelectMany(view => view.Questions)])] : views.ToImmutable(), units.ToImmutable());
    }

    /// <summary>Null where all that is left of the block had to be revealed: that is certain under any weights.</summary>
    /// <param name="masked">[S] what the candidates that stayed masked had drawn; null where the law does not ask</param>
    private DrawQuestion? DrawOf(int step, Trajectory trajectory, int[] revealed, ImmutableArray<int>[]? masked, int unitOfDraw)
    {
        if (_drawn is null) return null;
        var others = StepCandidates.Masked(trajectory, step, _drawn.BlockLength).ToArray();
        if (_rule!.Adaptive ? IsForced(step, trajectory, revealed.Length + others.Length) : others.Length == 0) return null;
        IEnumerable<int> inOrder = trajectory.RevealRank.IsEmpty ? revealed : revealed.OrderBy(position => trajectory.RevealRank[position]);
        ImmutableArray<int> arranged = [.. inOrder, .. others];
        var tokens = arranged.Select(position => trajectory.Tokens[position]);
        if (masked is not null) tokens = tokens.Take(revealed.Length).Concat(masked[step]);
        var first = revealed[0] / _drawn.BlockLength * _drawn.BlockLength;
        var progress = _rule.Adaptive ? (double)trajectory.RevealStep.Count(at => (uint)at < (uint)step) / _drawn.GenLength : (double)step / _drawn.Steps;
        return new(_rule.Law, arranged, [.. tokens], revealed.Length, unitOfDraw, new(first, _drawn.BlockLength, progress)) { Offset = Bernoulli.Offset(_drawn.StepsPerBlock) };
    }

    /// <summary>Whether nothing was decided: one candidate, or the last planned step of a block.</summary>
    private bool IsForced(int step, Trajectory trajectory, int candidates) =>
        candidates == 1 || StepCandidates.StepInBlock(trajectory, step, _drawn!.BlockLength) == _drawn.StepsPerBlock - 1;

    /// <exception cref="InvalidOperationException">the record has others than its steps made: a ratio from it would be of something that was never drawn</exception>
    private ImmutableArray<int>[]? MaskedDraws(Trajectory trajectory)
    {
        if (_drawn is null || !_rule!.RecordsMasked) return null;
        int[] counts = [.. Enumerable.Range(0, trajectory.Steps).Select(step => StepCandidates.Masked(trajectory, step, _drawn.BlockLength).Count())];
        if (counts.Sum() is var made && made != trajectory.MaskedDraws.Length)
            throw new InvalidOperationException($"{trajectory.Id} carries {trajectory.MaskedDraws.Length} draws that stayed masked and its steps made {made}: it was not sampled with rollout.reveal = {_drawn.Reveal}; a run keeps the one that it began with");
        var at = 0;
        return Array.ConvertAll(counts, count => trajectory.MaskedDraws.Slice((at += count) - count, count));
    }

    public Tensor Combine(Tensor logp_N, DeviceQuestions questions, DeviceUnits units) => LinearCombination.Of(logp_N, questions, units);
}
