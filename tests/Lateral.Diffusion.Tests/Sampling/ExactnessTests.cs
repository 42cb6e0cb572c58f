using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Trajectory probabilities on a model small enough to enumerate: 3 tokens, 3 positions, 2 steps.</summary>
public sealed class ExactnessTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: false, digits: 3);
    private static readonly int[] Prompt = [2, 0];

    private readonly TransformerModel _a = Model(1), _b = Model(2), _c = Model(3);

    private static TransformerModel Model(ulong seed) => TinyPolicy.FreshModel(Tokenizer, seed, unmasking: true);

    public void Dispose()
    {
        foreach (var model in new[] { _a, _b, _c }) model.Dispose();
    }

    public static TheoryData<string> Reveals { get; } =
        ["random", "max-prob", "entropy", "margin", "threshold", "entropy-bounded", "left-to-right", "plackett-luce", "plackett-luce-sampled", "low-confidence", "unmasking-policy", "bernoulli"];

    [Theory]
    [InlineData("random", 3 * 27)]
    [InlineData("max-prob", 27)]
    [InlineData("entropy", 27)]
    [InlineData("margin", 27)]
    [InlineData("left-to-right", 27)]
    [InlineData("threshold", 27)]
    [InlineData("entropy-bounded", 27)]
    // Six ordered pairs before the one that is left.
    [InlineData("plackett-luce", 6 * 27)]
    [InlineData("unmasking-policy", 6 * 27)]
    // The same pairs for every token of all three, and then any token at the one that is left.
    [InlineData("plackett-luce-sampled", 6 * 27 * 3)]
    // Every set but the empty one, and then what is left of it.
    [InlineData("bernoulli", 7 * 27)]
    public void Outcome_probabilities_must_sum_to_one(string reveal, int count)
    {
        var outcomes = Enumerate(reveal, _ => _a);
        Assert.Equal(count, outcomes.DistinctBy(outcome => outcome.Key).Count());
        Assert.Equal(1, outcomes.Sum(outcome => Math.Exp(outcome.LogProb)), 1e-6);
    }

    [Theory]
    [MemberData(nameof(Reveals))]
    public void Replayed_likelihood_must_equal_the_enumerated_one_and_its_mean_score_must_vanish(string reveal)
    {
        var outcomes = Enumerate(reveal, _ => _a);
        using var scope = NewDisposeScope();
        // Each outcome's probability stands where its advantage would: the loss is then the expectation of log p.
        var probabilities = outcomes.Select(outcome => (float)Math.Exp(outcome.LogProb)).ToArray();
        var likelihood = Steps(reveal);
        var table = Scoring.TableOf(outcomes.Select(outcome => outcome.Trajectory), likelihood, probabilities);
        var replayed = new double[outcomes.Count];
        foreach (var batch in MicroBatch.Cut(table.Views, 1000, Tokenizer.MaskId))
        {
            var device = DeviceMicroBatch.Upload(batch, table.Units, _a);
            var logp_U = likelihood.Combine(ViewScorer.Score(_a, device, Spec(reveal).Temperature), device.Questions, device.Units);
            logp_U.mul(device.Units.Advantage_U).sum().backward();
            var values = logp_U.detach().data<float>().ToArray();
            foreach (var (i, unit) in batch.Asked().Index()) replayed[table.Units[unit].Rollout] += values[i];
        }

        for (var i = 0; i < replayed.Length; i++)
        {
            var selection = reveal == "random" ? -Math.Log(3) : 0;
            Assert.Equal(outcomes[i].LogProb, replayed[i] + selection, 1e-5);
        }

        foreach (var (name, parameter) in _a.Parameters)
        {
            // Nobody asks the unmasking policy of another rule.
            if (parameter.grad is null && !RevealRules.ByName(reveal).AsksUnmaskingPolicy && name.StartsWith("unmasking_policy", StringComparison.Ordinal)) continue;
            Assert.True(parameter.grad!.abs().max().item<float>() < 2e-6, name);
        }
    }

    [Theory]
    [InlineData("random")]
    [InlineData("left-to-right")]
    [InlineData("plackett-luce")]
    [InlineData("plackett-luce-sampled")]
    [InlineData("unmasking-policy")]
    [InlineData("bernoulli")]
    public void Exact_reveal_must_stay_exact_off_policy_even_across_a_swap_inside_the_trajectory(string reveal)
    {
        Assert.Equal(Exactness.OnAndOffPolicy, RevealRules.ByName(reveal).Exactness);
        var (behaviour, current) = (Enumerate(reveal, step => step == 0 ? _a : _b), Enumerate(reveal, _ => _c));
        Assert.Equal(Expectation(current), Reweighted(behaviour, reveal), 1e-5);
        Assert.True(Math.Abs(Expectation(behaviour) - Expectation(current)) > .05, "the two policies have to differ for this to mean anything");
    }

    [Theory]
    [InlineData("max-prob")]
    [InlineData("entropy")]
    [InlineData("margin")]
    public void Deterministic_reveal_must_be_known_to_be_biased_off_policy(string reveal)
    {
        Assert.Equal(Exactness.OnPolicyOnly, RevealRules.ByName(reveal).Exactness);
        // One position a step: six orders, of which each policy takes its own.
        var (behaviour, current) = (Enumerate(reveal, _ => _a, steps: 3), Enumerate(reveal, _ => _c, steps: 3));
        Assert.True(Math.Abs(Expectation(current) - Reweighted(behaviour, reveal, steps: 3)) > .02);
    }

    /// <summary>The test that has to fail for the wrong formula.</summary>
    [Fact]
    public void Tokens_alone_must_be_known_to_be_no_likelihood_of_low_confidence_remasking()
    {
        var outcomes = Enumerate("low-confidence", _ => _a);
        Assert.Equal(1, outcomes.Sum(outcome => Math.Exp(outcome.LogProb)), 1e-5);

        using var scope = NewDisposeScope();
        var probabilities = outcomes.Select(outcome => (float)Math.Exp(outcome.LogProb)).ToArray();
        var table = Scoring.TableOf(outcomes.Select(outcome => outcome.Trajectory), advantages: probabilities);
        var (sum, byRollout) = (0.0, new double[outcomes.Count]);
        foreach (var batch in MicroBatch.Cut(table.Views, 1000, Tokenizer.MaskId))
        {
            var device = DeviceMicroBatch.Upload(batch, table.Units, _a);
            var logp_N = ViewScorer.Score(_a, device, 1);
            logp_N.mul(device.Units.Advantage_U).sum().backward();
            var values = logp_N.detach().data<float>().ToArray();
            for (var i = 0; i < values.Length; i++) byRollout[table.Units[batch.Units[i]].Rollout] += values[i];
        }

        sum = byRollout.Sum(Math.Exp);
        Assert.True(sum > 1.2, $"token probabilities sum to {sum}");
        var score = _a.Parameters.Values.Max(parameter => parameter.grad?.abs().max().item<float>() ?? 0);
        Assert.True(score > 1e-3, $"their mean score is {score}");
        Assert.Equal(RatioWorth.Approximate, RatioExactness.Of(RevealRules.ByName("low-confidence"), LikelihoodRules.ByName("trajectory"), RatioGranularity.Token, CorrectionRules.ByName("behaviour-clip")));
    }

    [Theory]
    [InlineData("plackett-luce")]
    [InlineData("plackett-luce-sampled")]
    [InlineData("unmasking-policy")]
    [InlineData("bernoulli")]
    public void Drawn_order_must_be_known_to_be_biased_where_its_factor_is_left_out(string reveal)
    {
        var (behaviour, current) = (Enumerate(reveal, _ => _a, steps: 3), Enumerate(reveal, _ => _c, steps: 3));
        var sum = behaviour.Sum(outcome => Math.Exp(TokenLogRatio(outcome.Trajectory) + outcome.LogProb) * Value(outcome.Trajectory));
        // Far beyond the 1e-5 to which the identity holds with the factor.
        Assert.True(Math.Abs(Expectation(current) - sum) > 1e-3, $"{Expectation(current)} against {sum}");
        Assert.Equal(RatioWorth.Approximate, RatioExactness.Of(RevealRules.ByName(reveal), LikelihoodRules.ByName("trajectory"), RatioGranularity.Token, CorrectionRules.ByName("behaviour-clip")));
        Assert.Equal(RatioWorth.Exact, RatioExactness.Of(RevealRules.ByName(reveal), LikelihoodRules.ByName("trajectory"), RatioGranularity.Step, CorrectionRules.ByName("behaviour-clip")));

        double TokenLogRatio(Trajectory trajectory)
        {
            var table = Scoring.TableOf([trajectory]);
            double LogProb(TransformerModel model) => Scoring.Score(model, table, temperature: Spec(reveal).Temperature).Sum(scored => (double)scored.LogProb);
            return LogProb(_c) - LogProb(_a);
        }
    }

    [Theory]
    [MemberData(nameof(Reveals))]
    public async Task Sampler_must_draw_outcomes_with_the_probabilities_it_records(string reveal)
    {
        const int rollouts = 6000;
        using var policy = new TinyPolicy(_a);
        var expected = new Enumeration(Tokenizer, Prompt, Spec(reveal), _ => _a).All().ToDictionary(outcome => outcome.Key);
        await using var sampler = await policy.StartAsync(Tokenizer, 200);
        for (var group = 0; group < 6; group++) sampler.Submit(TinyPolicy.Task(group, rollouts / 6, Prompt, Spec(reveal)));
        var finished = await TinyPolicy.CollectAsync(sampler, rollouts);
        foreach (var trajectory in finished.Values)
            Assert.Equal(expected[Outcome.KeyOf(trajectory)].LogProb, trajectory.TokenLogProbs.Sum() + trajectory.SelectionLogProbs.Sum(), 1e-5);

        var counts = finished.Values.CountBy(Outcome.KeyOf).ToDictionary();
        var chi2 = expected.Values.Sum(outcome =>
        {
            var mean = rollouts * Math.Exp(outcome.LogProb);
            return Math.Pow(counts.GetValueOrDefault(outcome.Key) - mean, 2) / mean;
        });
        // Mean n - 1; the deviation is sqrt(2 (n - 1)) and what cells of few expected outcomes add to it. Small cells skew it, too: five deviations leave room.
        var n = (double)expected.Count;
        var variance = 2 * (n - 1) + ((expected.Values.Sum(outcome => Math.Exp(-outcome.LogProb)) - (n * n) - (2 * n) + 2) / rollouts);
        Assert.InRange(chi2, 0, n - 1 + 5 * Math.Sqrt(variance));
    }

    /// <summary>Values of whole steps, which hold the factor of the draw.</summary>
    private static TrajectoryLikelihood Steps(string reveal, int steps = 2) =>
        new(RatioGranularity.Step, StepSubset.All, RevealRules.ByName(reveal).HasFactor ? Spec(reveal, steps) : null);

    /// <summary>Limits at which some states of the tiny model reveal more than their share and others do not. Adaptive rules may take a step a token; sampled tokens and their order have different temperatures.</summary>
    private static RolloutSpec Spec(string reveal, int steps = 2) => new(3, 3, reveal is "threshold" or "entropy-bounded" ? 3 : steps, reveal == "plackett-luce-sampled" ? .7 : 1, reveal, false)
    {
        RevealLimit = reveal switch { "threshold" => .5, "entropy-bounded" => .8, _ => 0 },
    };

    private static List<Outcome> Enumerate(string reveal, Func<int, TransformerModel> model, int steps = 2) => new Enumeration(Tokenizer, Prompt, Spec(reveal, steps), model).All();

    /// <summary>Some function of tokens and order: which position was left for the last step weighs in.</summary>
    private static double Value(Trajectory trajectory) =>
        (trajectory.Tokens[0] == trajectory.Tokens[2] ? trajectory.Tokens[1] + 1 : 0) + trajectory.RevealStep.IndexOf(1);

    private static double Expectation(List<Outcome> outcomes) => outcomes.Sum(outcome => Math.Exp(outcome.LogProb) * Value(outcome.Trajectory));

    /// <summary>E_mu[rho f] with rho from token log-probs of the recorded states alone, as the learner has it.</summary>
    private double Reweighted(List<Outcome> behaviour, string reveal, int steps = 2)
    {
        using var scope = NewDisposeScope();
        var (sum, likelihood) = (0.0, Steps(reveal, steps));
        var selection = reveal == "random" ? -Math.Log(3) : 0;
        for (var i = 0; i < behaviour.Count; i++)
        {
            var logp = Scoring.Values(_c, Scoring.TableOf([behaviour[i].Trajectory], likelihood), likelihood, Spec(reveal).Temperature).Sum();
            sum += Math.Exp(logp + selection - behaviour[i].LogProb) * Math.Exp(behaviour[i].LogProb) * Value(behaviour[i].Trajectory);
        }

        return sum;
    }
}
