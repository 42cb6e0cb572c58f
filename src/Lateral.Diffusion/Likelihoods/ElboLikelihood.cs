using Lateral.Core.Learning;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// The evidence lower bound of a masked diffusion model as a completion's value (LLaDA, Nie et al., arXiv 2502.09992, equation 6, per token):
/// L E_{l ~ U{1..L}} E_{|S| = l} [(1 / l) sum over S of lp_i(S)], with l stratified over the samples and exactly l positions masked, which has the least
/// variance of its unbiased estimates (docs/algorithms.md).
/// </summary>
/// <param name="samples">K masks</param>
public sealed class ElboLikelihood(MethodSettings method, RatioGranularity unit, int? endToken, int samples) : Surrogate(method, unit, endToken)
{
    public override bool Separable => samples == 1;

    private protected override void Ask(MaskPlan plan, Trajectory trajectory)
    {
        for (var k = 0; k < samples; k++)
        {
            var count = plan.Stratified(k, samples, plan.Length);
            plan.Ask(plan.Exactly(count, k), UnitOf, PerToken(plan) * plan.Length / count / samples);
        }
    }
}

/// <summary>The same bound with Bernoulli masks, E_t [(1 / t) sum over S of lp_i(S)]: the textbook form, for comparison; its variance is larger.</summary>
/// <param name="samples">K masks</param>
public sealed class BernoulliElboLikelihood(MethodSettings method, RatioGranularity unit, int? endToken, int samples) : Surrogate(method, unit, endToken)
{
    private protected override void Ask(MaskPlan plan, Trajectory trajectory)
    {
        for (var k = 0; k < samples; k++)
        {
            var t = 1 - plan.Uniform(k);
            plan.Ask(plan.Each(t, k), UnitOf, PerToken(plan) / t / samples);
        }
    }
}

/// <summary>
/// ESPO (Ou et al., arXiv 2512.03759): a mask of exactly l positions, l ~ U{0..L} stratified, and its complement:
/// ((L + 1) / l sum over S of lp_i(S) + (L + 1) / (L - l) sum over S' of lp_i(S')) / 2. Unbiased for the bound.
/// </summary>
/// <param name="samples">pairs of masks</param>
public sealed class ComplementElboLikelihood(MethodSettings method, RatioGranularity unit, int? endToken, int samples) : Surrogate(method, unit, endToken)
{
    private protected override void Ask(MaskPlan plan, Trajectory trajectory)
    {
        var length = plan.Length;
        for (var k = 0; k < samples; k++)
        {
            var count = (int)((k + plan.Uniform(k)) / samples * (length + 1));
            var masked = plan.Exactly(count, k);
            var share = PerToken(plan) * (length + 1) / 2 / samples;
            if (count > 0) plan.Ask(masked, UnitOf, share / count);
            if (count < length) plan.Ask(MaskPlan.Not(masked), UnitOf, share / (length - count));
        }
    }
}

/// <summary>
/// GDPO (Rojas et al., arXiv 2510.08554): the bound's integral over the mask ratio by Gauss-Legendre quadrature, one mask a node:
/// sum over n of (w_n / t_n) sum over S_n of lp_i(S_n), with exactly max(1, round(t_n L)) positions masked. Few forwards, a small bias.
/// </summary>
/// <param name="nodes">N, 1 to 5</param>
public sealed class QuadratureElboLikelihood(MethodSettings method, RatioGranularity unit, int? endToken, int nodes) : Surrogate(method, unit, endToken)
{
    private protected override void Ask(MaskPlan plan, Trajectory trajectory)
    {
        foreach (var (n, (t, weight)) in GaussLegendre.On01(nodes).Index())
        {
            var count = Math.Clamp((int)Math.Round(t * plan.Length), 1, plan.Length);
            plan.Ask(plan.Exactly(count, n), UnitOf, PerToken(plan) * weight / t);
        }
    }
}

/// <summary>Nodes and weights of Gauss-Legendre quadrature on [0, 1]; the weights sum to 1.</summary>
public static class GaussLegendre
{
    /// <param name="count">at least 1</param>
    public static IReadOnlyList<(double Node, double Weight)> On01(int count)
    {
        var nodes = new (double, double)[count];
        for (var i = 0; i < count; i++)
        {
            // Newton's iteration on the Legendre polynomial from the usual first guess.
            var x = Math.Cos(Math.PI * (i + 0.75) / (count + 0.5));
            double derivative;
            double change;
            do
            {
                (var value, derivative) = Legendre(count, x);
                change = value / derivative;
                x -= change;
            }
            while (Math.Abs(change) > 1e-15);
            (_, derivative) = Legendre(count, x);
            nodes[count - 1 - i] = ((1 + x) / 2, 1 / ((1 - (x * x)) * derivative * derivative));
        }

        return nodes;
    }

    private static (double Value, double Derivative) Legendre(int degree, double x)
    {
        var (before, value) = (1.0, x);
        for (var n = 2; n <= degree; n++) (before, value) = (value, (((2 * n) - 1) * x * value - ((n - 1) * before)) / n);
        return (value, degree * ((x * value) - before) / ((x * x) - 1));
    }
}
