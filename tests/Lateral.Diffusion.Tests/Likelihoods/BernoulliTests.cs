using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>A planner that decides for every position by itself; what it is worth as a likelihood stands in <see cref="ExactnessTests"/>, too.</summary>
public sealed class BernoulliTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);
    private static readonly RolloutSpec Spec = new(8, 4, 6, .8, "bernoulli", StopAtEnd: true);

    private readonly TransformerModel _model = TinyPolicy.FreshModel(Tokenizer, 4, unmasking: true);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Sets_must_sum_to_one_by_hand_on_both_sides_and_their_mean_score_must_vanish()
    {
        double[] scores = [.3, -1, 2, .1];
        var u = scores.Select(score => 1 / (1 + Math.Exp(-score))).ToArray();
        var none = u.Aggregate(1.0, (product, one) => product * (1 - one));
        var (sum, mean) = (0.0, new double[4]);
        foreach (var set in Sets(4))
        {
            var byHand = Enumerable.Range(0, 4).Sum(c => Math.Log(set.Contains(c) ? u[c] : 1 - u[c])) - Math.Log(1 - none);
            Assert.Equal(byHand, Bernoulli.LogProb(scores, set), 1e-12);
            var (logProb, gradient) = Device(scores, set, absent: 2);
            Assert.Equal(byHand, logProb, 1e-6);
            sum += Math.Exp(byHand);
            for (var c = 0; c < 4; c++) mean[c] += Math.Exp(byHand) * gradient[c];
            Assert.Equal([0, 0], gradient[4..]);
        }

        Assert.Equal(1, sum, 1e-12);
        Assert.Equal([0, 0, 0, 0], mean, new NearDouble(1e-6));
    }

    [Theory]
    // Alike and nearly impossible: one of them is revealed, each as likely as any other.
    [InlineData(-100, 3, 1, -1.0986122886681098)]
    [InlineData(-600, 3, 1, -1.0986122886681098)]
    [InlineData(-600, 3, 2, -601.09861228866811)]
    // Nearly certain: all of them.
    [InlineData(100, 3, 3, 0)]
    [InlineData(900, 3, 2, -900)]
    // A single candidate has no choice.
    [InlineData(-100, 1, 1, 0)]
    [InlineData(0, 1, 1, 0)]
    [InlineData(100, 1, 1, 0)]
    public void Extreme_scores_must_keep_every_digit(double score, int candidates, int revealed, double logProb)
    {
        double[] scores = [.. Enumerable.Repeat(score, candidates)];
        int[] set = [.. Enumerable.Range(0, revealed)];
        Assert.Equal(logProb, Bernoulli.LogProb(scores, set), 1e-9);
        var device = Device(scores, set);
        Assert.Equal(logProb, device.LogProb, Math.Abs(logProb) * 1e-6 + 1e-9);
        Assert.All(device.Gradient, slope => Assert.True(float.IsFinite(slope)));
    }

    [Fact]
    public void Draws_must_have_the_probabilities_of_their_sets_and_never_be_empty()
    {
        const int trials = 40_000;
        foreach (var scores in new double[][] { [.3, -1, 2, .1], [-100, -100, -100, -99], [8, -90, -90, -90] })
        {
            var uniforms = new CounterUniforms(11);
            var counts = new Dictionary<string, int>();
            for (var trial = 0; trial < trials; trial++)
            {
                var drawn = Bernoulli.Draw(scores, [.. Enumerable.Range(0, 4).Select(i => uniforms.Selection(false, new(trial, 0), 0, i))]);
                var key = string.Join(' ', drawn);
                counts[key] = counts.GetValueOrDefault(key) + 1;
            }

            Assert.DoesNotContain("", counts.Keys);
            foreach (var set in Sets(4))
            {
                var p = Math.Exp(Bernoulli.LogProb(scores, set));
                var slack = (4 * Math.Sqrt(trials * p)) + 1e-3;
                Assert.InRange(counts.GetValueOrDefault(string.Join(' ', set)), (trials * p) - slack, (trials * p) + slack);
            }
        }
    }

    [Theory]
    [InlineData(.8, false)]
    [InlineData(.8, true)]
    [InlineData(1, false)]
    [InlineData(1.5, true)]
    public async Task Replayed_steps_must_equal_the_recorded_ones_across_blocks_prompt_lengths_and_temperatures(double temperature, bool alone)
    {
        var spec = Spec with { Temperature = temperature };
        var rollouts = await SampleAsync(spec, alone);
        // Rollouts differ in their steps, none has more than are planned, and every step reveals something.
        Assert.True(rollouts.Select(rollout => rollout.Steps).Distinct().Count() > 1);
        Assert.All(rollouts, rollout => Assert.InRange(rollout.Steps, 1, spec.Steps));
        Assert.All(rollouts, rollout => Assert.Equal(rollout.Steps, rollout.RevealStep.Where(step => step >= 0).Distinct().Count()));
        var likelihood = Steps(spec);
        var table = Scoring.TableOf(rollouts, likelihood);
        Assert.Contains(table.Views, placed => placed.View.Draw is not null);
        var values = Scoring.Values(_model, table, likelihood, temperature);
        for (var i = 0; i < values.Length; i++) Assert.Equal(table.Units[i].Behaviour, values[i], 1e-5);
    }

    [Fact]
    public async Task Last_planned_step_of_a_block_must_reveal_what_is_left_with_certainty()
    {
        // An indifferent planner: of two steps a block it reveals any position or not, so all 15 sets of 4 are alike.
        using var indifferent = TinyPolicy.FreshModel(Tokenizer, 4, unmasking: true);
        using (no_grad()) indifferent.Parameters["unmasking_policy.score.weight"].mul_(0f);
        var spec = new RolloutSpec(8, 4, 4, 1, "bernoulli", false);
        var rollouts = await SampleAsync(spec, model: indifferent);
        Assert.All(rollouts, rollout => Assert.InRange(rollout.Steps, 2, 4));
        var forced = 0;
        foreach (var rollout in rollouts)
        {
            foreach (var step in Enumerable.Range(0, rollout.Steps))
            {
                var (draw, revealed) = (Steps(spec).Plan(rollout, Scoring.Key()).Views[step].Draw, rollout.RevealStep.Count(at => at == step));
                var (last, left) = (StepCandidates.StepInBlock(rollout, step, 4) == 1, StepCandidates.Masked(rollout, step, 4).Count());
                if (last)
                {
                    Assert.Equal((0, 0f), (left, rollout.SelectionLogProbs[step]));
                    forced += revealed > 1 ? 1 : 0;
                }

                Assert.Equal(last, draw is null);
            }
        }

        Assert.True(forced > 0, "no block was ended by its last step");
        Assert.All(rollouts, rollout => Assert.Equal(-Math.Log(15), rollout.SelectionLogProbs[0], 1e-5));
    }

    [Fact]
    public void Rollouts_that_need_fewer_steps_than_planned_must_be_exact()
    {
        var (tokenizer, spec) = (new DigitTokenizer(withEnd: false, digits: 3), new RolloutSpec(3, 3, 3, 1, "bernoulli", false));
        using var model = TinyPolicy.FreshModel(tokenizer, 1, unmasking: true);
        var outcomes = new Enumeration(tokenizer, [2, 0], spec, _ => model).All();
        // The ordered partitions of three positions.
        Assert.Equal(13 * 27, outcomes.DistinctBy(outcome => outcome.Key).Count());
        Assert.Equal(1, outcomes.Sum(outcome => Math.Exp(outcome.LogProb)), 1e-6);
        foreach (var one in outcomes)
            Assert.Equal(one.LogProb, Scoring.Values(model, Scoring.TableOf([one.Trajectory], Steps(spec)), Steps(spec)).Sum(), 1e-5);
    }

    [Fact]
    public void One_canvas_at_two_steps_must_be_scored_once_and_alike()
    {
        // Both come to the canvas with positions 1 and 2 masked, one after a step and the other after two.
        static Trajectory Revealed(int sibling, int[] steps) => new(new(1, sibling), [1], [5, 6, 7, 8], [.. steps], [-1, -1, -1, -1], [.. new float[steps.Max() + 1]], 0, [new(0, 0, "h")], "");
        var (likelihood, rollouts) = (Steps(new(4, 4, 4, 1, "bernoulli", false)), new[] { Revealed(0, [0, 1, 2, 0]), Revealed(1, [0, 2, 3, 1]) });
        var table = Scoring.TableOf(rollouts, likelihood);
        var together = Scoring.Values(_model, table, likelihood);
        double[] apart = [.. rollouts.SelectMany(rollout => Scoring.Values(_model, Scoring.TableOf([rollout], likelihood), likelihood))];
        Assert.Equal(4, Assert.Single(MicroBatch.Cut(table.Views, 1000, Tokenizer.MaskId)).Canvases);
        Assert.Equal(apart, together, new NearDouble(1e-5));
        // Step 1 of the one and step 2 of the other.
        Assert.Equal(together[1], together[5], 1e-6);
    }

    [Fact]
    public async Task Greedy_rollout_must_reveal_what_is_likelier_than_not_and_never_draw()
    {
        var spec = new RolloutSpec(4, 4, 3, 0, "bernoulli", false);
        var rollouts = await SampleAsync(spec);
        Assert.All(rollouts.GroupBy(rollout => rollout.Id.Group), group => Assert.Single(group.Select(Outcome.KeyOf).Distinct()));
        var policy = new BernoulliReveal(greedy: true, stepsPerBlock: 3);
        // log 2 is the offset of three steps.
        Assert.Equal(2, policy.Dares(new([.7f, .69f, 3, -1], [])));
        var chosen = new int[1];
        Assert.Equal(1, policy.Dares(new([-3, -1, -2], [])));
        policy.Select(new([-3, -1, -2], []), chosen);
        Assert.Equal([1], chosen);
    }

    [Fact]
    public async Task Gradient_must_agree_with_finite_differences_in_both_policies()
    {
        var rollouts = await SampleAsync(Spec);
        var (likelihood, advantages) = (Steps(Spec), rollouts.Select((_, i) => (float)(i % 3) - 1).ToArray());
        var gradients = ScoredGradients.Of(_model, rollouts, likelihood, advantages, Spec.Temperature);
        foreach (var name in new[] { "unmasking_policy.score.weight", "unmasking_policy.time_out.weight", "unmasking_policy.q_proj.weight", "model.transformer.blocks.0.q_proj.weight", "model.transformer.ff_out.weight" })
            ScoredGradients.AssertFiniteDifference(_model, name, gradients[name], () => ScoredGradients.Value(_model, rollouts, likelihood, advantages, Spec.Temperature));
    }

    private static TrajectoryLikelihood Steps(RolloutSpec spec) => new(RatioGranularity.Step, StepSubset.All, spec);

    private static IEnumerable<int[]> Sets(int count) =>
        Enumerable.Range(1, (1 << count) - 1).Select(bits => Enumerable.Range(0, count).Where(c => (bits >> c & 1) == 1).ToArray());

    private static (double LogProb, float[] Gradient) Device(double[] scores, int[] revealed, int absent = 0)
    {
        using var scope = NewDisposeScope();
        var cells = Enumerable.Range(0, scores.Length + absent).ToArray();
        var values = tensor(cells.Select(c => c < scores.Length ? (float)scores[c] : 7f).ToArray()).view(1, -1);
        values.requires_grad = true;
        var logProb = Bernoulli.LogProbs(values, tensor(cells.Select(c => c < scores.Length).ToArray()).view(1, -1), tensor(cells.Select(c => revealed.Contains(c) ? 1f : 0).ToArray()).view(1, -1));
        logProb.sum().backward();
        return (logProb.item<float>(), values.grad!.data<float>().ToArray());
    }

    private Task<Trajectory[]> SampleAsync(RolloutSpec spec, bool alone = false, TransformerModel? model = null) => TinyPolicy.SampleAsync(model ?? _model, Tokenizer, spec, alone);
}
