using Lateral.Core.Learning;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// EBPO's value of a completion (LLaDA2.1): the bound block by block, every block with its past clean and its future unseen, sum over b of E_{l ~ U{1..m_b}} E_{|S| = l, S in b}
/// [(m_b / l) sum over S of lp_i(S | blocks before b)]. By block-causal attention one forward of a mask answers for all blocks. l is stratified over the samples.
/// </summary>
/// <remarks>Departure: masks of exact size instead of one mask ratio for all blocks, which varies less (docs/algorithms.md).</remarks>
/// <param name="samples">K masks</param>
/// <param name="block">tokens of a block; 0 = the completion is one</param>
public sealed class BlockCausalElboLikelihood(MethodSettings method, RatioGranularity unit, int? endToken, int samples, int block) : Surrogate(method, unit, endToken)
{
    public override bool Separable => samples == 1;

    private protected override void Ask(MaskPlan plan, Trajectory trajectory)
    {
        var size = block == 0 ? trajectory.Tokens.Length : block;
        var blocks = (plan.Length + size - 1) / size;
        for (var k = 0; k < samples; k++)
        {
            var (masked, share) = (new bool[plan.Length], new double[blocks]);
            for (var b = 0; b < blocks; b++)
            {
                var (first, inside) = (b * size, Math.Min(size, plan.Length - (b * size)));
                var count = plan.Stratified(k, samples, inside, b);
                plan.Exactly(count, k, first, inside).AsSpan(first, inside).CopyTo(masked.AsSpan(first));
                share[b] = (double)inside / count;
            }

            plan.Ask(masked, UnitOf, position => PerToken(plan) * share[position / size] / samples, causalBlock: size);
        }
    }
}
