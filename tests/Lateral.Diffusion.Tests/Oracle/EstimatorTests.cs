using System.Globalization;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Every likelihood on a model whose log p is known: 8 positions, 3 tokens, mean log p near -5.</summary>
public sealed class EstimatorTests
{
    private const int Length = 8, Sequences = 30, Draws = 400;

    private static readonly Lazy<TabularModel> Model = new(() => new TabularModel(Length, 3, scale: 1.45));

    /// <summary>Bias and standard deviation of the estimates of log p, averaged over completions, and forwards of one.</summary>
    private sealed record Quality(double Bias, double Deviation, double Error, int Forwards);

    private static MethodSettings Samples(string name, int count) => name == "elbo-block-causal" ? MethodSettings.Of(name, ("samples", count), ("causal-block", 4)) : MethodSettings.Of(name, ("samples", count));

    private static ILikelihood Create(MethodSettings method, RatioGranularity unit = RatioGranularity.SequenceSum) => LikelihoodCatalogue.Create(method, unit, null, Length);

    public static TheoryData<string, int, int> Unbiased() => new()
    {
        { "elbo", 1, 1 }, { "elbo", 2, 2 }, { "elbo", 4, 4 }, { "elbo-bernoulli", 2, 2 }, { "elbo-complement", 1, 2 }, { "elbo-complement", 2, 4 }, { "elbo-block-causal", 1, 1 },
        { "elbo-block-causal", 2, 2 },
    };

    [Theory]
    [MemberData(nameof(Unbiased))]
    public void Bound_of_a_consistent_model_must_be_log_p_without_bias(string name, int samples, int forwards)
    {
        // The conditionals of one joint: its bound is tight, so every unbiased estimate of the bound is one of log p.
        var quality = Measure(Create(Samples(name, samples)));
        Assert.InRange(quality.Bias, -4 * quality.Error, 4 * quality.Error);
        // Extreme mask sizes may leave nothing to ask in one of two complements.
        Assert.InRange(quality.Forwards, forwards - 1, forwards);
    }

    [Theory]
    [InlineData(1, 0.0)]
    [InlineData(2, 0.01)]
    [InlineData(4, 0.01)]
    public void Replay_must_be_exact_with_one_token_a_step_and_below_with_more(int each, double least)
    {
        var quality = Measure(new TrajectoryLikelihood(RatioGranularity.SequenceSum, StepSubset.All), each);
        if (each == 1) Assert.Equal((0, 0), (Math.Round(quality.Bias, 5), Math.Round(quality.Deviation, 5)));
        else Assert.True(quality.Bias < -least && quality.Bias < -4 * quality.Error, $"{quality}");
    }

    [Fact]
    public void Surrogates_of_d1_and_coupled_must_be_biased_downwards()
    {
        Assert.True(Measure(Create(MethodSettings.Of("one-step", ("prompt-mask", .15)))).Bias < -.5);
        var coupled = Measure(Create(MethodSettings.Of("coupled", ("mask-low", .2), ("mask-high", .8))));
        Assert.True(coupled.Bias < -.5 && coupled.Bias < -4 * coupled.Error);
    }

    [Theory]
    [InlineData(StepChoice.Uniform)]
    [InlineData(StepChoice.Stratified)]
    [InlineData(StepChoice.BySurprise)]
    public void Subset_of_the_states_must_be_unbiased_for_the_sum_over_all_of_them(StepChoice choice)
    {
        var model = Model.Value;
        var random = new CounterRandom(11);
        var differences = new List<double>();
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            // A recorded log-prob for each token, so that surprise has something to go by.
            var trajectory = model.Denoised(model.Sample(random, sequence), 1, sequence, random);
            var all = new TrajectoryLikelihood(RatioGranularity.Token, StepSubset.All).Plan(trajectory, Scoring.Key());
            var exact = model.Values(all);
            trajectory = trajectory with { TokenLogProbs = [.. Enumerable.Range(0, Length).Select(position => (float)exact[all.Units.Index().First(unit => unit.Item.Step == trajectory.RevealStep[position]).Index])] };
            for (var draw = 0; draw < Draws; draw++)
            {
                var plan = new TrajectoryLikelihood(RatioGranularity.Token, new(choice, 3)).Plan(trajectory, Scoring.Key(learnerStep: draw));
                differences.Add(model.Values(plan).Zip(plan.Units, (value, unit) => value * unit.Weight).Sum() - exact.Sum());
            }
        }

        Assert.InRange(Statistics.Mean([.. differences]), -4 * StandardError(differences), 4 * StandardError(differences));
        Assert.True(StandardError(differences) > 0);
    }

    [Fact]
    public void Stratified_masks_of_exact_size_must_vary_less_than_independent_ones()
    {
        double Deviation(MethodSettings method) => Measure(Create(method)).Deviation;
        foreach (var samples in new[] { 2, 4 })
            Assert.True(Deviation(Samples("elbo", samples)) < .8 * Deviation(Samples("elbo-bernoulli", samples)), $"{samples} samples");
        // At equal forwards complements do not beat stratification.
        Assert.True(Deviation(Samples("elbo", 4)) < Deviation(Samples("elbo-complement", 2)));
    }

    [Fact]
    public void Sandwich_must_bound_the_likelihood_from_both_sides()
    {
        var likelihood = LikelihoodCatalogue.Create(MethodSettings.Of("sandwich", ("samples", 100), ("mask-block", 0), ("context-mask", 0), ("upper-share", 1), ("power", 1)), RatioGranularity.Sequence, null, Length);
        var model = Model.Value;
        var random = new CounterRandom(5);
        var (above, below) = (0, 0);
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            var plan = likelihood.Plan(model.Denoised(model.Sample(random, sequence), 1, sequence, random), Scoring.Key());
            var (lower, upper) = (Sandwich(likelihood, plan, model, advantage: 1), Sandwich(likelihood, plan, model, advantage: -1));
            if (upper >= lower) above++;
            else below++;
        }

        // log of a mean is at least the mean of logs, token by token.
        Assert.True(above > below, $"{above} above, {below} below");
    }

    [Fact]
    public void Gauss_Legendre_must_integrate_polynomials_exactly()
    {
        for (var nodes = 1; nodes <= 5; nodes++)
        {
            var rule = GaussLegendre.On01(nodes);
            for (var power = 0; power < 2 * nodes; power++)
                Assert.Equal(1.0 / (power + 1), rule.Sum(node => node.Weight * Math.Pow(node.Node, power)), 1e-12);
        }

        Assert.Equal([.5 - Math.Sqrt(3) / 6, .5 + Math.Sqrt(3) / 6], GaussLegendre.On01(2).Select(node => node.Node), new NearDouble(1e-12));
    }

    [Fact]
    public void Plan_must_be_the_same_in_any_order_and_touch_no_generator()
    {
        var model = Model.Value;
        var random = new CounterRandom(2);
        var trajectories = Enumerable.Range(0, 6).Select(i => model.Denoised(model.Sample(random, i), 2, i, random) with { Prompt = [1, 0, 2] }).ToArray();
        using var before = get_rng_state();
        foreach (var rule in LikelihoodRules.All)
        {
            var likelihood = LikelihoodCatalogue.Create(Methods.Likelihood(rule.Name), rule.Units[0], null, Length);
            string Text(Trajectory trajectory) => string.Join('|', likelihood.Plan(trajectory, Scoring.Key()).Views.Select(view =>
                $"{string.Concat(view.Hidden.Select(hidden => hidden ? '?' : '.'))} {string.Join(',', view.Questions)}"));
            var forwards = trajectories.Select(Text).ToArray();
            var backwards = trajectories.Reverse().Select(Text).Reverse().ToArray();
            Assert.Equal(forwards, backwards);
            Assert.All(trajectories.SelectMany(trajectory => likelihood.Plan(trajectory, Scoring.Key()).Views), view => Assert.All(view.Questions, question => Assert.True(view.Hidden[3 + question.Position])));
        }

        using var after = get_rng_state();
        Assert.True(before.Equals(after) || before.bytes.SequenceEqual(after.bytes));
    }

    [Fact]
    public void Completion_must_end_with_its_end_token_and_ask_nothing_behind_it()
    {
        // End = 2 at position 2; what stands behind is hidden and not asked. An end at once leaves one token.
        var trajectory = new Trajectory(new(1, 0), [1], [0, 1, 2, 1, 0], [0, 0, 1, 1, 2], [.. new float[5]], [0, 0, 0], 0, [new(0, 0, "h")], "");
        foreach (var rule in LikelihoodRules.All.Where(rule => !rule.Recorded))
        {
            var likelihood = LikelihoodCatalogue.Create(Methods.Likelihood(rule.Name), rule.Units[0], 2, 8);
            var views = likelihood.Plan(trajectory, Scoring.Key()).Views;
            Assert.All(views.SelectMany(view => view.Questions), question => Assert.InRange(question.Position, 0, 2));
            Assert.All(views.Where(_ => rule.Name != "trajectory-merged"), view => Assert.True(view.Hidden[4] && view.Hidden[5]));
            // Independent masks may be empty: the bound's estimate is then 0.
            if (rule.Name != "elbo-bernoulli") Assert.NotEmpty(likelihood.Plan(trajectory with { Tokens = [2, 0, 0, 0, 0] }, Scoring.Key()).Views.SelectMany(view => view.Questions));
        }
    }

    /// <summary>The table of docs/algorithms.md.</summary>
    [Fact]
    public void Table_in_the_docs_must_be_what_is_measured()
    {
        (string Name, ILikelihood Likelihood, int Each)[] rows =
        [
            ("one-step (d1)", Create(MethodSettings.Of("one-step", ("prompt-mask", .15))), 1),
            ("coupled", Create(MethodSettings.Of("coupled", ("mask-low", .2), ("mask-high", .8))), 1),
            ("elbo-bernoulli, 2 samples", Create(Samples("elbo-bernoulli", 2)), 1),
            ("elbo-bernoulli, 4 samples", Create(Samples("elbo-bernoulli", 4)), 1),
            ("elbo, 2 samples", Create(Samples("elbo", 2)), 1),
            ("elbo, 4 samples", Create(Samples("elbo", 4)), 1),
            ("elbo-complement, 1 pair", Create(Samples("elbo-complement", 1)), 1),
            ("elbo-complement, 2 pairs", Create(Samples("elbo-complement", 2)), 1),
            ("elbo-quadrature, 2 nodes", Create(MethodSettings.Of("elbo-quadrature", ("nodes", 2))), 1),
            ("elbo-quadrature, 3 nodes", Create(MethodSettings.Of("elbo-quadrature", ("nodes", 3))), 1),
            ("elbo-block-causal, blocks of 4, 2 samples", Create(Samples("elbo-block-causal", 2)), 1),
            ("trajectory, 1 token a step", new TrajectoryLikelihood(RatioGranularity.SequenceSum, StepSubset.All), 1),
            ("trajectory, 2 tokens a step", new TrajectoryLikelihood(RatioGranularity.SequenceSum, StepSubset.All), 2),
            ("trajectory, 4 tokens a step", new TrajectoryLikelihood(RatioGranularity.SequenceSum, StepSubset.All), 4),
        ];
        var lines = rows.Select(row =>
        {
            var quality = Measure(row.Likelihood, row.Each);
            return string.Create(CultureInfo.InvariantCulture, $"| {row.Name} | {quality.Forwards} | {quality.Bias + 0.0:+0.00;-0.00;0.00} | {quality.Deviation:0.00} |");
        }).ToArray();
        var docs = Path.Combine(RepositoryRoot(), "docs", "algorithms.md");
        var written = File.Exists(docs) ? File.ReadAllText(docs) : "";
        Assert.True(Array.TrueForAll(lines, line => written.Contains(line, StringComparison.Ordinal)), $"docs/algorithms.md should have\n{string.Join('\n', lines)}\nmean log p {MeanLogProb():0.00}");
    }

    private static double MeanLogProb() => Enumerable.Range(0, Sequences).Average(sequence => Model.Value.LogProb(Model.Value.Sample(new CounterRandom(11), sequence)));

    private static Quality Measure(ILikelihood likelihood, int each = 1)
    {
        var model = Model.Value;
        var random = new CounterRandom(11);
        var (biases, variances, all, forwards) = (new List<double>(), new List<double>(), new List<double>(), 0);
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            var tokens = model.Sample(random, sequence);
            var errors = new double[Draws];
            for (var draw = 0; draw < Draws; draw++)
            {
                // The draw stands where the prompt would: each has masks of its own, and an order of its own.
                var plan = likelihood.Plan(model.Denoised(tokens, each, (sequence * Draws) + draw, random), Scoring.Key());
                errors[draw] = model.Values(plan)[0] - model.LogProb(tokens);
                forwards = Math.Max(forwards, plan.Views.Count(view => !view.Questions.IsEmpty));
            }

            biases.Add(errors.Average());
            variances.Add(Math.Pow(Statistics.StandardDeviation(errors), 2));
            all.AddRange(errors);
        }

        return new(biases.Average(), Math.Sqrt(variances.Average()), StandardError(all), forwards);
    }

    private static double StandardError(List<double> values) => Statistics.StandardDeviation([.. values]) / Math.Sqrt(values.Count);

    private static double Sandwich(ILikelihood likelihood, LikelihoodPlan plan, TabularModel model, float advantage)
    {
        using var scope = NewDisposeScope();
        var questions = plan.Views.SelectMany(view => view.Questions.Select(question => (question, LogProb: model.Conditional([.. view.Trajectory.Tokens], view.Hidden, question.Position)))).ToArray();
        var units = new DeviceUnits(tensor(new[] { 0f }), tensor(new[] { plan.Units[0].Weight }), tensor(new[] { advantage }), tensor(new[] { 0f }), tensor(new[] { 0L }), 1);
        return likelihood.Combine(
            tensor(questions.Select(one => (float)one.LogProb).ToArray()),
            new(tensor(questions.Select(one => (long)one.question.Unit).ToArray()), tensor(questions.Select(one => one.question.Coefficient).ToArray()), tensor(questions.Select(one => (long)one.question.Position).ToArray()), false),
            units).item<float>();
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Actors.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("no Actors.sln above the test's folder");
    }
}
