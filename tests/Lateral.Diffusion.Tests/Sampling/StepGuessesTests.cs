using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public sealed class StepGuessesTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);
    private static readonly RolloutSpec Spec = new(8, 4, 6, 1, "random", true);

    private readonly TinyPolicy _policy = TinyPolicy.Fresh(Tokenizer);

    public void Dispose() => _policy.Dispose();

    /// <summary>In every state each masked position on its own, also those of blocks that a step does not look at; up to the first end token.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Guess_must_be_the_likeliest_token_at_every_position_that_the_state_masks(bool fixedShapes)
    {
        var finished = await SampleAsync(_policy, tokens: 60, fixedShapes);
        using var model = _policy.Load(CPU);
        foreach (var trajectory in finished)
        {
            Assert.Equal(trajectory.Steps, trajectory.Guesses.Length);
            for (var step = 0; step < trajectory.Steps; step++) Assert.Equal(ByHand(model, trajectory, step), trajectory.Guesses[step]);
        }

        Assert.Contains(finished, trajectory => trajectory.Guesses.Distinct().Count() > 1);
    }

    [Fact]
    public async Task Evaluations_and_other_advantages_must_make_none()
    {
        Assert.All(await SampleAsync(_policy, tokens: null, fixedShapes: false), trajectory => Assert.Empty(trajectory.Guesses));
        Assert.All(await SampleAsync(_policy, tokens: 60, fixedShapes: false, evaluation: true), trajectory => Assert.Empty(trajectory.Guesses));
    }

    /// <summary>
    /// The reward of a guess is a function of the state, so over all outcomes of a model small enough it adds nothing to the expected gradient of a step; the reward of the outcome does.
    /// </summary>
    [Fact]
    public void Reward_of_a_guess_must_be_a_baseline_of_its_step()
    {
        var tokenizer = new DigitTokenizer(withEnd: false, digits: 3);
        var spec = new RolloutSpec(3, 3, 2, 1, "random", false);
        using var model = TinyPolicy.FreshModel(tokenizer, 1);
        var outcomes = new Enumeration(tokenizer, [2, 0], spec, _ => model).All();
        var guessed = new StepGuesses(model, tokenizer, 1000, alone: false).Make([.. outcomes.Select(outcome => outcome.Trajectory)]);
        Assert.True(guessed.Select(one => one.Guesses[1]).Distinct().Count() > 3, "guesses have to differ between states for this to mean anything");
        Assert.True(Gradient(guess: true) < 2e-6, $"{Gradient(guess: true)}");
        Assert.True(Gradient(guess: false) > 1e-3);

        float Gradient(bool guess)
        {
            using var scope = NewDisposeScope();
            foreach (var parameter in model.Parameters.Values) parameter.grad?.zero_();
            var table = new UnitTable();
            var likelihood = new TrajectoryLikelihood(RatioGranularity.Step, StepSubset.All);
            foreach (var (i, trajectory) in guessed.Index())
            {
                var weight = (float)Math.Exp(outcomes[i].LogProb);
                float[] byToken = [.. trajectory.RevealStep.Select(step => weight * Worth(guess ? trajectory.Guesses[step] : tokenizer.Decode([.. trajectory.Tokens])))];
                table.Add(i, trajectory, new RolloutAdvantage(trajectory, byToken), likelihood.Plan(trajectory, Scoring.Key()), version: 0);
            }

            foreach (var batch in MicroBatch.Cut(table.Views, 1000, tokenizer.MaskId))
            {
                var device = DeviceMicroBatch.Upload(batch, table.Units, model);
                likelihood.Combine(ViewScorer.Score(model, device, 1), device.Questions, device.Units).mul(device.Units.Advantage_U).sum().backward();
            }

            return model.Parameters.Values.Max(parameter => parameter.grad?.abs().max().item<float>() ?? 0);
        }

        static float Worth(string answer) => (answer[0] == answer[2] ? 1 : 0) + (.5f * (answer[1] - '0'));
    }

    private static async Task<IReadOnlyCollection<Trajectory>> SampleAsync(TinyPolicy policy, int? tokens, bool fixedShapes, bool evaluation = false)
    {
        await using var sampler = new DiffusionSampler(new("cpu", 4, fixedShapes ? new FixedShape(12, 4) : null, Seed: 9, CanaryLimit: 1e-4) { GuessTokens = tokens }, Tokenizer, policy.Load);
        await sampler.SwapAsync(policy.Manifest, policy.Path);
        for (var group = 0; group < 3; group++) sampler.Submit(TinyPolicy.Task(group, 3, [.. Enumerable.Range(1, 1 + group)], Spec, evaluation));
        return (await TinyPolicy.CollectAsync(sampler, 9)).Values;
    }

    private static string ByHand(TransformerModel model, Trajectory trajectory, int step)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var answer = trajectory.Tokens.Select((token, i) => trajectory.RevealStep[i] >= 0 && trajectory.RevealStep[i] < step ? token : Tokenizer.MaskId).ToArray();
        long[] ids = [.. trajectory.Prompt, .. answer];
        var logits_LV = model.Logits(model.Hidden(tensor(ids, 1, ids.Length)).squeeze(0));
        for (var i = 0; i < answer.Length; i++)
        {
            if (answer[i] == Tokenizer.MaskId) answer[i] = (int)logits_LV[trajectory.Prompt.Length + i].narrow(0, 0, Tokenizer.MaskId).argmax().item<long>();
        }

        return string.Concat(answer.TakeWhile(id => id != Tokenizer.EndId));
    }
}
