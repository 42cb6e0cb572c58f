using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Diffusion;
using Lateral.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>A rollout that is handed on between two denoising steps ends as if it had never moved.</summary>
public sealed class InFlightTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);
    private static readonly FixedShape Shape = new(16, 4);

    private readonly TinyPolicy _policy = TinyPolicy.Fresh(Tokenizer);

    public void Dispose() => _policy.Dispose();

    [Theory]
    [InlineData("random", false)]
    [InlineData("max-prob", false)]
    [InlineData("max-prob", true)]
    [InlineData("plackett-luce-sampled", false)]
    [InlineData("plackett-luce-sampled", true)]
    [InlineData("bernoulli", false)]
    [InlineData("bernoulli", true)]
    public void Rollout_handed_on_after_any_step_must_end_to_the_bit_as_the_one_that_stayed(string reveal, bool stopAtEnd)
    {
        var task = TinyPolicy.Task(5, 3, [1, 2], new RolloutSpec(8, 4, 6, 1, reveal, stopAtEnd));
        using var model = TinyPolicy.FreshModel(Tokenizer, 1, unmasking: true);
        using var policy = new TinyPolicy(model);
        using var whole = Engine(policy);
        whole.Enqueue(task);
        var expected = Finish(whole);
        Assert.Equal(3, expected.Count);
        var handedOn = 0;
        for (var steps = 1; steps < 6; steps++)
        {
            var early = new List<Trajectory>();
            using var first = Engine(policy);
            first.Enqueue(task);
            for (var step = 0; step < steps; step++) early.AddRange(first.Step().Finished);
            var begun = first.InFlight();
            Assert.All(begun, canvas => Assert.Equal(steps, canvas.Step));
            handedOn += begun.Count;

            using var second = Engine(policy);
            // Other companions, and so other slots.
            second.Enqueue(TinyPolicy.Task(70 + steps, 2, [9], task.Spec));
            second.Enqueue(task with { Siblings = [.. task.Siblings.Where(sibling => early.TrueForAll(done => done.Id.Sibling != sibling))], Begun = [.. begun] });
            var late = Finish(second).Where(trajectory => trajectory.Id.Group == 5);
            AssertSame(expected, early.Concat(late).OrderBy(trajectory => trajectory.Id.Sibling).ToList());
        }

        Assert.True(handedOn >= 5, "nothing was handed on");
    }

    [Fact]
    public void Rollout_handed_on_under_another_policy_must_tag_its_later_steps_with_it()
    {
        using var newer = TinyPolicy.Fresh(Tokenizer, seed: 2, version: 7);
        var task = TinyPolicy.Task(5, 1, [1, 2], new RolloutSpec(8, 4, 6, 1, "random", false));
        using var first = Engine();
        first.Enqueue(task);
        first.Step();
        first.Step();
        using var second = Engine(newer);
        second.Enqueue(task with { Begun = [.. first.InFlight()] });
        var trajectory = Assert.Single(Finish(second));
        Assert.Equal([(0, 0), (2, 7)], trajectory.Policies.Select(span => (span.FirstStep, span.Version)));
        Assert.Equal((0, 7), (trajectory.OldestVersion, trajectory.NewestVersion));
    }

    [Fact]
    public async Task Running_sampler_must_hand_on_what_it_has_begun_and_nothing_of_an_evaluation()
    {
        await using var sampler = await _policy.StartAsync(Tokenizer, 4, Shape);
        var spec = new RolloutSpec(8, 1, 8, 1, "random", false);
        IReadOnlyList<RolloutInFlight> begun = [];
        for (var group = 0; begun.Count == 0 && group < 2000; group++)
        {
            sampler.Submit(TinyPolicy.Task(group, 1, [1, 2], spec));
            sampler.Submit(TinyPolicy.Task(group, 1, [1, 2], spec, evaluation: true));
            begun = await sampler.InFlightAsync();
        }

        Assert.NotEmpty(begun);
        Assert.All(begun, canvas => Assert.InRange(canvas.Step, 1, 7));
        Assert.All(begun, canvas => Assert.Equal(canvas.Step, canvas.SoFar.RevealedCount));
        Assert.Equal(begun.Count, begun.Select(canvas => canvas.Id).Distinct().Count());
    }

    [Fact]
    public async Task Canvas_that_does_not_fit_the_task_must_be_refused()
    {
        await using var sampler = await _policy.StartAsync(Tokenizer, 4, Shape);
        var record = new Trajectory(new RolloutId(5, 0), [1, 2], [1, Tokenizer.MaskId], [0, -1], [-.5f, 0], [0], 0, [new(0, 0, "a")], "");
        var task = TinyPolicy.Task(5, 1, [1, 2], new RolloutSpec(8, 4, 6, 1, "random", false)) with { Begun = [new RolloutInFlight(record, 0)] };
        Assert.Contains("a canvas of 2 tokens after 1 steps does not go on as 8 tokens in 6 steps", Assert.Throws<ArgumentException>(() => sampler.Submit(task)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Canvas_without_the_draws_that_its_rule_replays_must_be_refused()
    {
        await using var sampler = await _policy.StartAsync(Tokenizer, 4, Shape);
        var record = new Trajectory(new RolloutId(5, 0), [1, 2], [1, Tokenizer.MaskId], [0, -1], [-.5f, 0], [0], 0, [new(0, 0, "a")], "") { RevealRank = [0, 0] };
        var task = TinyPolicy.Task(5, 1, [1, 2], new RolloutSpec(2, 2, 2, 1, "plackett-luce-sampled", false)) with { Begun = [new RolloutInFlight(record, 0)] };
        Assert.Contains("a canvas with 0 draws that stayed masked does not go on with reveal = plackett-luce-sampled, which has 1 after 1 steps", Assert.Throws<ArgumentException>(() => sampler.Submit(task)).Message, StringComparison.Ordinal);
        sampler.Submit(task with { Begun = [new RolloutInFlight(record with { MaskedDraws = [4] }, 0)] });
        var finished = Assert.Single((await TinyPolicy.CollectAsync(sampler, 1)).Values);
        Assert.Equal(4, Assert.Single(finished.MaskedDraws));
    }

    private DenoisingEngine Engine(TinyPolicy? policy = null)
    {
        policy ??= _policy;
        var engine = new DenoisingEngine(new SamplerSettings("cpu", 6, Shape, 9, CanaryLimit: 1e-4), Tokenizer, new CounterUniforms(9, 0), policy.Load);
        engine.Load(policy.Manifest, policy.Path);
        return engine;
    }

    private static List<Trajectory> Finish(DenoisingEngine engine)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var finished = new List<Trajectory>();
        while (engine.Ready) finished.AddRange(engine.Step().Finished);
        return [.. finished.OrderBy(trajectory => trajectory.Id)];
    }

    private static void AssertSame(List<Trajectory> expected, List<Trajectory> actual)
    {
        Assert.Equal(expected.Select(trajectory => trajectory.Id), actual.Select(trajectory => trajectory.Id));
        foreach (var (one, other) in expected.Zip(actual))
        {
            Assert.Equal(one.Tokens.ToArray(), other.Tokens.ToArray());
            Assert.Equal(one.RevealStep.ToArray(), other.RevealStep.ToArray());
            Assert.Equal(one.RevealRank.ToArray(), other.RevealRank.ToArray());
            Assert.Equal(one.MaskedDraws.ToArray(), other.MaskedDraws.ToArray());
            Assert.Equal(one.TokenLogProbs.ToArray(), other.TokenLogProbs.ToArray());
            Assert.Equal(one.SelectionLogProbs.ToArray(), other.SelectionLogProbs.ToArray());
            Assert.Equal((one.RevealEntropy, one.Text), (other.RevealEntropy, other.Text));
            Assert.Equal(one.Policies.ToArray(), other.Policies.ToArray());
        }
    }
}
