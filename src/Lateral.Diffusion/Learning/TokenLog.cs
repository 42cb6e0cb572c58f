using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;

namespace Lateral.Diffusion.Learning;

/// <summary>
/// The scored tokens of a shard or of a step as the gradient saw them, and what they say about how far the policy has moved from
/// the one that sampled.
/// </summary>
public sealed class TokenLog
{
    private const double LogRatioLimit = 20;

    private readonly List<ScoredToken> _tokens = [];

    public int Count => _tokens.Count;

    public void Add(MicroBatch batch, ReadOnlySpan<double> logp_N, ReadOnlySpan<double> loss_N, ReadOnlySpan<double> clipped_N)
    {
        for (var i = 0; i < batch.Tokens.Length; i++)
            _tokens.Add(new(batch.Rollouts[i], logp_N[i] - batch.Behaviour[i], batch.Weights[i], clipped_N[i] != 0, loss_N[i] * batch.Weights[i]));
    }

    public void Add(ImmutableArray<ScoredToken> scored) => _tokens.AddRange(scored);

    public ImmutableArray<ScoredToken> ToImmutable() => [.. _tokens];

    /// <summary>Sum of the weighted token losses over the batch's denominator.</summary>
    public double Loss(long denominator) => _tokens.Sum(token => token.Loss) / Math.Max(1, denominator);

    /// <summary>
    /// ratio/* over the scored tokens, ratio/ess over their trajectories (1 = every trajectory counts equally,
    /// (sum w)^2 / (n sum w^2) with w the product of its token ratios), kl/* as means per token of log mu - log pi and of
    /// exp(r) - 1 - r with r = log pi - log mu (Schulman's k1 and k3 for KL(mu || pi)). Empty when nothing was scored.
    /// </summary>
    public IEnumerable<KeyValuePair<string, double>> Metrics()
    {
        if (_tokens.Count == 0) yield break;
        var weight = _tokens.Sum(token => token.Weight);
        double Mean(Func<ScoredToken, double> value) => _tokens.Sum(token => token.Weight * value(token)) / weight;
        static double Ratio(double logRatio) => Math.Exp(Math.Clamp(logRatio, -LogRatioLimit, LogRatioLimit));

        var mean = Mean(token => Ratio(token.LogRatio));
        yield return new("ratio/mean", mean);
        yield return new("ratio/std", Math.Sqrt(Mean(token => Math.Pow(Ratio(token.LogRatio) - mean, 2))));
        yield return new("ratio/clip_fraction", Mean(token => token.Clipped ? 1 : 0));
        yield return new("kl/behaviour", Mean(token => -token.LogRatio));
        yield return new("kl/behaviour_k3", Mean(token => Math.Exp(Math.Min(token.LogRatio, LogRatioLimit)) - 1 - token.LogRatio));

        // With a subset of the states the trajectory's log ratio is itself an unbiased estimate.
        var trajectories = _tokens.GroupBy(token => token.Rollout).Select(group => Ratio(group.Sum(token => token.Weight * token.LogRatio))).ToArray();
        var sum = trajectories.Sum();
        yield return new("ratio/ess", sum * sum / (trajectories.Length * trajectories.Sum(w => w * w)));
    }
}
