using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Rewards;
using Lateral.Diffusion.Likelihoods;

namespace Lateral.Diffusion.Learning.Values;

/// <summary>
/// What the critic thought of a batch before the step, and what it is to learn from it. N positions of all completions, one after the other; those that were
/// never revealed are asked by no view.
/// </summary>
/// <param name="Views">the states, each asked for the positions that it revealed</param>
/// <param name="Old">[N] V under the weights that the step began with</param>
/// <param name="Returns">[N] R</param>
/// <param name="Advantages">by group and sibling</param>
internal sealed record Appraisal(int Step, IReadOnlyList<PlacedView> Views, float[] Old, float[] Returns, RolloutAdvantage[][] Advantages) : IAdvantage
{
    /// <summary>Tokens that have a value.</summary>
    public int Count { get; } = Views.Sum(view => view.View.Questions.Length);

    public RolloutAdvantage[][] Of(IReadOnlyList<ScoredGroup> groups) => Advantages;

    /// <summary>
    /// value/mean over tokens; value/loss = mean of half the squared error; value/explained_variance = 1 - var(R - V) / var(R): 1 = every return was
    /// foreseen, 0 = no better than their mean, absent where all returns are equal. Empty for a batch without tokens.
    /// </summary>
    public ImmutableArray<KeyValuePair<string, double>> Metrics()
    {
        if (Count == 0) return [];
        int[] asked = [.. Views.SelectMany(placed => placed.View.Questions.Select(question => placed.FirstUnit + question.Unit))];
        var errors = Array.ConvertAll(asked, n => (double)Returns[n] - Old[n]);
        var spread = Statistics.StandardDeviation(Array.ConvertAll(asked, n => (double)Returns[n]));
        return
        [
            new("value/mean", Statistics.Mean(Array.ConvertAll(asked, n => (double)Old[n]))),
            new("value/loss", Statistics.Mean(Array.ConvertAll(errors, error => error * error / 2))),
            .. spread == 0 ? [] : new KeyValuePair<string, double>[] { new("value/explained_variance", 1 - Math.Pow(Statistics.StandardDeviation(errors) / spread, 2)) },
        ];
    }
}
