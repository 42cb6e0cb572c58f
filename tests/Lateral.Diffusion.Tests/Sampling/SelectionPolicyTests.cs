using Lateral.Core.Rollouts;
using Lateral.Diffusion.Sampling;

namespace Lateral.Tests.Diffusion;

public class SelectionPolicyTests
{
    [Fact]
    public void MaxProbabilityReveal_must_take_the_surest_and_break_ties_to_the_left()
    {
        var chosen = new int[3];
        var logProb = new SurestReveal("max-prob", Certainty.MaxProbability).Select(new([.5f, .9f, .5f, .2f, .5f], []), chosen);
        Assert.Equal([0, 1, 2], chosen);
        Assert.Equal(0, logProb);
    }

    [Fact]
    public void RandomReveal_must_take_the_largest_uniforms_and_report_a_uniform_subset()
    {
        var chosen = new int[2];
        var logProb = new RandomReveal().Select(new(new float[5], [.3, .1, .8, .2, .7]), chosen);
        Assert.Equal([2, 4], chosen);
        // C(5, 2) = 10
        Assert.Equal(-Math.Log(10), logProb, 6);
    }

    [Fact]
    public void Uniforms_of_a_fork_must_be_keyed_by_the_prompt_and_those_of_evaluations_by_the_index()
    {
        var (parent, fork) = (new CounterUniforms(11), new CounterUniforms(11, firstPrompt: 7));
        Assert.Equal(parent.Token(false, new(12, 3), 2, 1), fork.Token(false, new(5, 3), 2, 1));
        Assert.Equal(parent.Selection(false, new(12, 3), 2, 1), fork.Selection(false, new(5, 3), 2, 1));
        Assert.NotEqual(parent.Token(false, new(5, 3), 2, 1), fork.Token(false, new(5, 3), 2, 1));
        Assert.Equal(parent.Token(true, new(5, 3), 2, 1), fork.Token(true, new(5, 3), 2, 1));
        Assert.Equal(parent.Selection(true, new(5, 3), 2, 1), fork.Selection(true, new(5, 3), 2, 1));
    }

    [Fact]
    public void RandomReveal_must_give_every_subset_its_reported_probability()
    {
        var counts = new Dictionary<(int, int), int>();
        var uniforms = new CounterUniforms(11);
        var (chosen, draws) = (new int[2], new double[4]);
        const int trials = 24_000;
        for (var trial = 0; trial < trials; trial++)
        {
            for (var i = 0; i < draws.Length; i++) draws[i] = uniforms.Selection(false, new(trial, 0), 0, i);
            new RandomReveal().Select(new(new float[4], draws), chosen);
            counts[(chosen[0], chosen[1])] = counts.GetValueOrDefault((chosen[0], chosen[1])) + 1;
        }

        // Six subsets of probability 1/6: four standard deviations around the mean.
        Assert.Equal(6, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 4000 - 4 * Math.Sqrt(trials * 5 / 36.0), 4000 + 4 * Math.Sqrt(trials * 5 / 36.0)));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(7, 7, 0)]
    [InlineData(6, 3, 20)]
    [InlineData(256, 2, 32_640)]
    public void RandomReveal_must_count_subsets(int n, int k, double subsets) =>
        Assert.Equal(Math.Max(subsets, 1), Math.Exp(RandomReveal.LogBinomial(n, k)), Math.Max(subsets, 1) * 1e-9);

    [Fact]
    public void Registry_must_name_every_policy_and_refuse_others()
    {
        Assert.All(SelectionPolicies.Names, name => Assert.Equal(name, SelectionPolicies.ByName(name).Name));
        // The settings' rules know a reveal rule by its row only: row and policy must agree.
        Assert.All(RevealRules.All, rule => Assert.Equal(rule.Exactness, SelectionPolicies.ByName(rule.Name).Exactness));
        Assert.Equal(Exactness.OnAndOffPolicy, SelectionPolicies.ByName("random").Exactness);
        Assert.Equal(Exactness.OnPolicyOnly, SelectionPolicies.ByName("max-prob").Exactness);
        Assert.Contains("max-prob, entropy, margin, threshold, entropy-bounded, random, left-to-right, plackett-luce, plackett-luce-sampled, low-confidence", Assert.Throws<ArgumentException>(() => SelectionPolicies.ByName("alphabetical")).Message);
    }

    [Fact]
    public void Threshold_must_dare_every_candidate_above_it()
    {
        CandidateStatistics candidates = new([.95f, .5f, .9f, .91f], []);
        Assert.Equal((2, 0, 4), (new ThresholdReveal(.9).Dares(candidates), new ThresholdReveal(1).Dares(candidates), new ThresholdReveal(0).Dares(candidates)));
    }

    [Fact]
    public void Entropy_bound_must_dare_the_surest_whose_entropies_without_the_largest_stay_within_it()
    {
        // Entropies .1 .2 .4 .9: without the largest, the sums of the k surest are 0, .1, .3, .7.
        CandidateStatistics candidates = new([-.4f, -.1f, -.9f, -.2f], []);
        Assert.Equal([1, 2, 3, 4], new[] { .05, .15, .35, .75 }.Select(bound => new EntropyBoundedReveal(bound).Dares(new([-.4f, -.1f, -.9f, -.2f], []))));
        Assert.Equal(1, new EntropyBoundedReveal(0).Dares(candidates));
    }

    [Fact]
    public void TopK_must_refuse_more_than_there_are() =>
        Assert.Throws<ArgumentException>(() => TopK.Indices<double>([.1, .2], new int[3]));

    [Fact]
    public void TopK_must_agree_with_a_stable_sort()
    {
        var random = new Random(5);
        for (var trial = 0; trial < 500; trial++)
        {
            var scores = Enumerable.Range(0, random.Next(1, 40)).Select(_ => (float)random.Next(10)).ToArray();
            var chosen = new int[random.Next(0, scores.Length + 1)];
            TopK.Indices<float>(scores, chosen);
            var expected = Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).Take(chosen.Length).Order();
            Assert.Equal(expected, chosen);
        }
    }
}
