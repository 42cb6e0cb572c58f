using Lateral.Core.Learning;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Rollouts that begin with parts of a right answer in place.</summary>
public sealed class HintedSamplingTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);
    private static readonly HintSpec Hints = new(2, .3, .7, 1);

    private readonly TinyPolicy _policy = TinyPolicy.Fresh(Tokenizer);

    public void Dispose() => _policy.Dispose();

    [Theory]
    [InlineData("random", false)]
    [InlineData("max-prob", true)]
    [InlineData("threshold", false)]
    public async Task Given_tokens_must_stand_from_the_start_and_be_no_part_of_what_is_scored(string reveal, bool fixedShapes)
    {
        var finished = await SampleAsync(Spec(reveal), fixedShapes);
        var hinted = finished.Where(trajectory => !trajectory.Given.IsEmpty).ToArray();
        Assert.True(hinted.Length >= 4 && hinted.All(trajectory => trajectory.Id.Sibling < 2));
        foreach (var trajectory in hinted)
        {
            var solution = Solution(trajectory.Id.Group);
            Assert.All(trajectory.Given, position => Assert.Equal((solution[position], -1, 0f), (trajectory.Tokens[position], trajectory.RevealStep[position], trajectory.TokenLogProbs[position])));
            Assert.All(Enumerable.Range(0, 8).Except(trajectory.Given), position => Assert.InRange(trajectory.RevealStep[position], 0, trajectory.Steps - 1));
            // As many steps as there is something to reveal, and no block more than planned.
            Assert.All(Enumerable.Range(0, trajectory.Steps), step => Assert.Contains(step, trajectory.RevealStep));
            Assert.InRange(trajectory.Steps, 1, 6);
            var first = StateView.Before(0, trajectory, []);
            Assert.Equal(trajectory.Given, Enumerable.Range(0, 8).Where(position => !first.Hidden[trajectory.Prompt.Length + position]));
        }

        using var model = _policy.Load(CPU);
        var table = Scoring.TableOf(finished);
        Assert.Equal(finished.Sum(trajectory => trajectory.RevealedCount), table.Units.Count);
        Assert.InRange(Scoring.Score(model, table).Max(scored => Math.Abs(scored.LogProb - scored.Unit.Behaviour)), 0, 1e-5);
    }

    [Fact]
    public async Task Siblings_without_hints_and_evaluations_must_be_what_they_would_be_without_them()
    {
        var plain = await SampleAsync(Spec("random") with { Hints = null }, fixedShapes: true);
        var hinted = await SampleAsync(Spec("random"), fixedShapes: true);
        foreach (var (one, other) in plain.Zip(hinted).Where(pair => pair.First.Id.Sibling >= 2))
        {
            Assert.Equal(one.Tokens.ToArray(), other.Tokens.ToArray());
            Assert.Equal(one.TokenLogProbs.ToArray(), other.TokenLogProbs.ToArray());
        }

        Assert.All(await SampleAsync(Spec("random"), fixedShapes: true, evaluation: true), trajectory => Assert.Empty(trajectory.Given));
    }

    [Fact]
    public void Hinted_rollout_that_is_handed_on_must_end_as_the_one_that_stayed()
    {
        var task = TaskOf(5, Spec("random"), evaluation: false);
        using var whole = Engine();
        whole.Enqueue(task);
        var expected = Finish(whole);
        using var first = Engine();
        first.Enqueue(task);
        _ = first.Step();
        var begun = first.InFlight();
        Assert.Contains(begun, canvas => !canvas.SoFar.Given.IsEmpty);
        using var second = Engine();
        second.Enqueue(task with { Begun = [.. begun] });
        foreach (var (one, other) in expected.Zip(Finish(second)))
        {
            Assert.Equal((one.Id, one.Text, one.Steps), (other.Id, other.Text, other.Steps));
            Assert.Equal(one.Given.ToArray(), other.Given.ToArray());
            Assert.Equal(one.RevealStep.ToArray(), other.RevealStep.ToArray());
            Assert.Equal(one.TokenLogProbs.ToArray(), other.TokenLogProbs.ToArray());
        }

        List<Trajectory> Finish(DenoisingEngine engine)
        {
            var finished = new List<Trajectory>();
            while (finished.Count < 4) finished.AddRange(engine.Step().Finished);
            return [.. finished.OrderBy(trajectory => trajectory.Id.Sibling)];
        }
    }

    [Fact]
    public void Rollout_that_is_left_out_must_not_even_be_counted()
    {
        var whole = Rollouts.Batch(1, 1, 4, seed: 3, (_, i) => i % 2);
        var siblings = whole.Groups[0].Siblings;
        LearnerBatch batch = whole with { Groups = [whole.Groups[0] with { Siblings = [siblings[0] with { Trajectory = siblings[0].Trajectory with { RevealStep = [0, -1, 0, 1], Given = [1] } }, .. siblings[1..]] }] };
        var plan = GroupBatch.From(batch, new HintedGroups(new GroupMean()), 1);
        var metrics = BatchMetrics.Of(plan).ToDictionary();
        Assert.Equal((0, 2 / 3.0), (metrics["hints/groups"], metrics["reward/mean"]));
        Assert.Equal([1, 2, 3], plan.Rollouts.Select(rollout => rollout.Trajectory.Id.Sibling));
        Assert.Equal(12, plan.Denominator(RatioGranularity.Token));
        Assert.Equal([1 / 3f, -2 / 3f, 1 / 3f], plan.Rollouts.Select(rollout => rollout.Advantage.OfCompletion), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    private static RolloutSpec Spec(string reveal) => new(8, 4, 6, 1, reveal, false) { Hints = Hints, RevealLimit = reveal == "threshold" ? .5 : 0 };

    private static int[] Solution(long group) => [.. Enumerable.Range(0, 8).Select(i => (int)((group + (3 * i)) % 10))];

    private static SampleTask TaskOf(long group, RolloutSpec spec, bool evaluation) =>
        new(group, [0, 1, 2, 3], new Prompt(group, [1, 2], "", "") { Solution = [.. Solution(group)] }, spec, evaluation);

    private DenoisingEngine Engine()
    {
        var engine = new DenoisingEngine(new("cpu", 5, new FixedShape(12, 4), Seed: 9, CanaryLimit: 1e-4), Tokenizer, new CounterUniforms(9), _policy.Load);
        engine.Load(_policy.Manifest, _policy.Path);
        return engine;
    }

    private async Task<Trajectory[]> SampleAsync(RolloutSpec spec, bool fixedShapes, bool evaluation = false)
    {
        await using var sampler = await _policy.StartAsync(Tokenizer, 5, fixedShapes ? new FixedShape(12, 4) : null);
        for (var group = 0; group < 4; group++) sampler.Submit(TaskOf(group, spec, evaluation));
        return [.. (await TinyPolicy.CollectAsync(sampler, 16)).Values];
    }
}
