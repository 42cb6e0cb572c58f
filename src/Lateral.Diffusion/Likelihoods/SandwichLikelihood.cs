using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// SPG (Wang et al., arXiv 2510.09541): the likelihood of a good rollout by a lower bound, the mean log-prob of the masked tokens, which training then raises;
/// that of a bad one by a mixture with an upper bound, (1 / b) mean_i log(mean_k p_i(S_k)^b / t_k), which training then pushes down. Its objective has no ratio.
/// </summary>
/// <remarks>
/// Masks go by blocks: one block is masked at random, all later ones are masked whole, earlier ones and the prompt with a small probability.
/// </remarks>
public sealed class SandwichLikelihood(MethodSettings method, int? endToken, SandwichSettings settings) : Surrogate(method, RatioGranularity.Sequence, endToken)
{
    private protected override void Ask(MaskPlan plan, Trajectory trajectory)
    {
        var block = settings.BlockLength == 0 ? plan.Length : Math.Min(settings.BlockLength, plan.Length);
        var blocks = (plan.Length + block - 1) / block;
        for (var k = 0; k < settings.Samples; k++)
        {
            var first = Math.Min(blocks - 1, (int)(plan.Uniform(k) * blocks)) * block;
            var inside = Math.Min(block, plan.Length - first);
            var count = 1 + Math.Min(inside - 1, (int)(plan.Uniform(settings.Samples + k) * inside));
            var (chosen, early) = (plan.Exactly(count, k, first, inside), plan.Each(settings.ContextMask, settings.Samples + k));
            bool[] masked = [.. Enumerable.Range(0, plan.Length).Select(position => position < first ? early[position] : position >= first + inside || chosen[position])];
            plan.Ask(masked, UnitOf, 1.0 / masked.Count(one => one) / settings.Samples, plan.Prompt(settings.ContextMask, k));
        }
    }

    /// <summary>SPG's loss weighs a completion by its length.</summary>
    private protected override float WeightOf(MaskPlan plan) => plan.Length;

    public override Tensor Combine(Tensor logp_N, DeviceQuestions questions, DeviceUnits units)
    {
        var lower_U = LinearCombination.Of(logp_N, questions, units);
        // [U, L] dense sums over the masks of each token: coefficient * L is 1 / (K t).
        var longest = (long)settings.Longest;
        var place_N = questions.Unit_N.Times(longest).Plus(questions.Position_N);
        var weight_N = questions.Coefficient_N.Times(units.Weight_U.index_select(0, questions.Unit_N));
        var zero_M = zeros([units.Count * longest], logp_N.dtype, logp_N.device);
        var sum_UL = zero_M.PlusAt(place_N, logp_N.Times(settings.Power).exp().Times(weight_N)).view(units.Count, longest);
        var asked_UL = zero_M.PlusAt(place_N, ones_like(logp_N)).view(units.Count, longest).Above(0);
        // Where nothing was asked the logarithm is of 1, which keeps value and gradient 0.
        var log_UL = where(asked_UL, sum_UL, ones_like(sum_UL)).log();
        var upper_U = log_UL.sum(1).DividedBy(asked_UL.sum(1).to(logp_N.dtype)).DividedBy(settings.Power);
        var mixed_U = upper_U.Times(settings.UpperShare).Plus(lower_U.Times(1 - settings.UpperShare));
        return where(units.Advantage_U.Above(0), lower_U, mixed_U);
    }
}

/// <param name="Samples">K masks</param>
/// <param name="BlockLength">tokens of a block; 0 = the completion is one block</param>
/// <param name="ContextMask">probability that a token of the prompt or of an earlier block is masked</param>
/// <param name="UpperShare">share of the upper bound in a bad rollout's value</param>
/// <param name="Power">b of the upper bound, above 0</param>
/// <param name="Longest">most tokens of a completion</param>
public sealed record SandwichSettings(int Samples, int BlockLength, double ContextMask, double UpperShare, double Power, int Longest);
