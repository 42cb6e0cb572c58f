using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;

namespace Lateral.Diffusion.Learning;

/// <summary>
/// The scored units of a shard or of a step as the gradient saw them, and what they say about how far the policy has moved from
/// the one that sampled.
/// </summary>
public sealed class UnitLog
{
    private const double LogRatioLimit = 20;

    private readonly List<ScoredUnit> _units = [];

    public int Count => _units.Count;

    /// <param name="drift_U">log pi - log reference; empty where nothing asks the reference</param>
    public void Add(IReadOnlyList<Unit> units, ReadOnlySpan<double> logp_U, ReadOnlySpan<double> loss_U, ReadOnlySpan<double> clipped_U, ReadOnlySpan<double> drift_U = default)
    {
        for (var i = 0; i < units.Count; i++)
        {
            _units.Add(new(units[i].Rollout, logp_U[i] - units[i].Behaviour, units[i].Weight, clipped_U[i] != 0, loss_U[i] * units[i].Weight)
            {
                Good = units[i].Advantage > 0,
                Drift = drift_U.IsEmpty ? double.NaN : drift_U[i],
            });
        }
    }

    public void Add(ImmutableArray<ScoredUnit> scored) => _units.AddRange(scored);

    public ImmutableArray<ScoredUnit> ToImmutable() => [.. _units];

    /// <summary>Sum of the weighted losses over the batch's denominator.</summary>
    public double Loss(long denominator) => _units.Sum(unit => unit.Loss) / Math.Max(1, denominator);

    /// <summary>
    /// ratio/* over the scored units (clip_fraction_good and _bad over those with a positive advantage and the others), ratio/ess over their trajectories (1 = every trajectory counts equally,
    /// (sum w)^2 / (n sum w^2) with w the product of its units' ratios), kl/* as means per unit of log mu - log pi and of
    /// exp(r) - 1 - r with r = log pi - log mu (Schulman's k1 and k3 for KL(mu || pi)). kl/reference as the mean of log pi - log reference, where the reference is asked. Without ratio/* when the objective has none,
    /// empty when nothing was scored.
    /// </summary>
    public IEnumerable<KeyValuePair<string, double>> Metrics()
    {
        if (_units.Count == 0) yield break;
        var weight = _units.Sum(unit => unit.Weight);
        double Mean(Func<ScoredUnit, double> value) => _units.Sum(unit => unit.Weight * value(unit)) / weight;
        static double Ratio(double logRatio) => Math.Exp(Math.Clamp(logRatio, -LogRatioLimit, LogRatioLimit));

        var mean = Mean(unit => Ratio(unit.LogRatio));
        if (Mean(unit => unit.Drift) is var drift && !double.IsNaN(drift)) yield return new("kl/reference", drift);
        // Nobody computed the behaviour's value of an objective that has no ratio.
        if (double.IsNaN(mean)) yield break;
        yield return new("ratio/mean", mean);
        yield return new("ratio/std", Math.Sqrt(Mean(unit => Math.Pow(Ratio(unit.LogRatio) - mean, 2))));
        // E_mu[rho^2] - 1, the chi-square distance of the current policy from the one that sampled.
        yield return new("ratio/chi2", Mean(unit => Math.Pow(Ratio(unit.LogRatio), 2)) - 1);
        yield return new("ratio/clip_fraction", Mean(unit => unit.Clipped ? 1 : 0));
        foreach (var good in new[] { true, false })
        {
            var signed = _units.Where(unit => unit.Good == good).ToList();
            if (signed.Count > 0) yield return new(good ? "ratio/clip_fraction_good" : "ratio/clip_fraction_bad", signed.Sum(unit => unit.Clipped ? unit.Weight : 0) / signed.Sum(unit => unit.Weight));
        }

        yield return new("kl/behaviour", Mean(unit => -unit.LogRatio));
        yield return new("kl/behaviour_k3", Mean(unit => Math.Exp(Math.Min(unit.LogRatio, LogRatioLimit)) - 1 - unit.LogRatio));

        // With a subset of the states the trajectory's log ratio is itself an unbiased estimate.
        var trajectories = _units.GroupBy(unit => unit.Rollout).Select(group => Ratio(group.Sum(unit => unit.Weight * unit.LogRatio))).ToArray();
        var sum = trajectories.Sum();
        yield return new("ratio/ess", sum * sum / (trajectories.Length * trajectories.Sum(w => w * w)));
    }
}
