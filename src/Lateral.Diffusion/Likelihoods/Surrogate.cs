using System.Globalization;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// An estimate of log pi on masks of its own. What the sampler wrote down is another quantity, so as "old" it would silently corrupt the ratio: the
/// behaviour's value is what the sampler got by this same plan after it had finished the rollout.
/// </summary>
public abstract class Surrogate(MethodSettings method, RatioGranularity unit, int? endToken) : ILikelihood
{
    private readonly string _identity = IdentityOf(method, unit);

    public string Name => method.Name;

    public RatioGranularity Unit => unit;

    public bool Recorded => false;

    public virtual bool Separable => false;

    public LikelihoodPlan Plan(Trajectory trajectory, in PlanKey key)
    {
        // A mask plan of the learner must be the sampler's, which knows of no learner step.
        var plan = new MaskPlan(trajectory, key with { LearnerStep = 0 }, endToken);
        Ask(plan, trajectory);
        var count = unit == RatioGranularity.Token ? plan.Length : 1;
        var behaviour = trajectory.Surrogate is { } shipped && shipped.Identity == _identity && shipped.Values.Length == count ? shipped.Values : default;
        return new(plan.Views, [.. Enumerable.Range(0, count).Select(i => new PlannedUnit(behaviour.IsDefault ? float.NaN : behaviour[i], WeightOf(plan), -1) { Position = unit == RatioGranularity.Token ? i : -1 })]);
    }

    /// <summary>Example: <c>coupled(mask-high=0.8,mask-low=0.2)/token</c>.</summary>
    public static string IdentityOf(MethodSettings method, RatioGranularity unit) =>
        string.Create(CultureInfo.InvariantCulture, $"{method.Name}({string.Join(",", method.Knobs.Select(knob => string.Create(CultureInfo.InvariantCulture, $"{knob.Key}={knob.Value:R}")))})/{Granularities.NameOf(unit)}");

    public virtual Tensor Combine(Tensor logp_N, DeviceQuestions questions, DeviceUnits units) => LinearCombination.Of(logp_N, questions, units);

    /// <summary>Adds the views of one rollout.</summary>
    private protected abstract void Ask(MaskPlan plan, Trajectory trajectory);

    /// <summary>Factor of a unit's loss.</summary>
    private protected virtual float WeightOf(MaskPlan plan) => 1;

    /// <summary>The unit that a position counts for.</summary>
    private protected int UnitOf(int position) => unit == RatioGranularity.Token ? position : 0;

    /// <summary>What one token's log-prob counts in its unit: per token, a completion's ratio does not depend on its length.</summary>
    private protected double PerToken(MaskPlan plan) => unit == RatioGranularity.Sequence ? 1.0 / Math.Max(1, plan.Length) : 1;
}
