using Lateral.Core.Learning;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>Likelihoods by their configuration name.</summary>
public static class LikelihoodCatalogue
{
    /// <param name="endToken">ends a completion; null where lengths are fixed</param>
    /// <param name="longest">most tokens of a canvas</param>
    /// <param name="rollout">how the sampler reveals; null = in an order that is no part of the likelihood</param>
    /// <param name="causal">the model is autoregressive</param>
    /// <exception cref="ArgumentException">no such likelihood, or none of that unit</exception>
    public static ILikelihood Create(MethodSettings method, RatioGranularity unit, int? endToken, int longest, RolloutSpec? rollout = null, bool causal = false)
    {
        if (LikelihoodRules.All.FirstOrDefault(rule => rule.Name == method.Name) is not { } rule)
            throw new ArgumentException($"unknown likelihood '{method.Name}'; one of: {string.Join(", ", LikelihoodRules.Names)}", nameof(method));
        if (!rule.Units.Contains(unit)) throw new ArgumentException($"likelihood {rule.Name} has no value of a {Granularities.Words(unit)}; one of: {string.Join(", ", rule.Units.Select(Granularities.NameOf))}", nameof(unit));
        var drawn = rollout is not null && RevealRules.ByName(rollout.Reveal).HasFactor ? rollout : null;
        int Whole(string knob) => (int)method[knob];
        return rule.Name switch
        {
            "trajectory" => new TrajectoryLikelihood(unit, new(StepChoice.Uniform, Whole("step-subset")), drawn, causal: causal),
            "trajectory-stratified" => new TrajectoryLikelihood(unit, new(StepChoice.Stratified, Whole("step-subset")), drawn, causal: causal),
            "trajectory-surprise" => new TrajectoryLikelihood(unit, new(StepChoice.BySurprise, Whole("step-subset")), drawn, causal: causal),
            "trajectory-two-stage" => new TrajectoryLikelihood(unit, new(StepChoice.Uniform, Whole("step-subset")), drawn, twoStage: true),
            "trajectory-merged" => new MergedTrajectoryLikelihood(method, unit, endToken, Whole("merge")),
            "one-step" => new OneStepLikelihood(method, unit, endToken, method["prompt-mask"]),
            "coupled" => new CoupledLikelihood(method, unit, endToken, method["mask-low"], method["mask-high"]),
            "random-mask" => new RandomMaskLikelihood(method, unit, endToken, method["mask-low"], method["mask-high"]),
            "elbo" => new ElboLikelihood(method, unit, endToken, Whole("samples")),
            "elbo-bernoulli" => new BernoulliElboLikelihood(method, unit, endToken, Whole("samples")),
            "elbo-complement" => new ComplementElboLikelihood(method, unit, endToken, Whole("samples")),
            "elbo-quadrature" => new QuadratureElboLikelihood(method, unit, endToken, Whole("nodes")),
            "elbo-block-causal" => new BlockCausalElboLikelihood(method, unit, endToken, Whole("samples"), Whole("causal-block")),
            "sandwich" => new SandwichLikelihood(method, endToken, new(Whole("samples"), Whole("mask-block"), method["context-mask"], method["upper-share"], method["power"], longest)),
            var name => throw new InvalidOperationException($"likelihood {name} stands in the rules and not here"),
        };
    }
}
