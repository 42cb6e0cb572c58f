using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;

namespace Lateral.Tests.Diffusion;

/// <summary>The order that sampled tokens decide; what it is worth as a likelihood stands in <see cref="ExactnessTests"/>.</summary>
public sealed class PlackettLuceSampledTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);
    private static readonly RolloutSpec Spec = new(6, 3, 4, .8, "plackett-luce-sampled", StopAtEnd: true);

    private readonly TransformerModel _model = TinyPolicy.FreshModel(Tokenizer, 4);

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(.8, false)]
    [InlineData(.8, true)]
    [InlineData(1, false)]
    [InlineData(1.5, true)]
    public async Task Replayed_steps_must_equal_the_recorded_ones_across_blocks_prompt_lengths_and_temperatures(double temperature, bool alone)
    {
        var spec = Spec with { Temperature = temperature };
        var rollouts = await SampleAsync(spec, alone);
        foreach (var likelihood in new[] { Steps(spec), TwoStage(spec) })
        {
            var table = Scoring.TableOf(rollouts, likelihood);
            Assert.Contains(table.Views, placed => placed.View.Draw is not null);
            var values = Scoring.Values(_model, table, likelihood, temperature);
            for (var i = 0; i < values.Length; i++) Assert.Equal(table.Units[i].Behaviour, values[i], 1e-5);
        }
    }

    [Fact]
    public async Task Record_must_have_a_draw_of_every_candidate_that_stayed_masked()
    {
        // Two blocks of 3 positions in 2 steps each: 2 of 3 and then the third, so one draw a block stays masked.
        foreach (var rollout in await SampleAsync(Spec with { StopAtEnd = false }))
        {
            Assert.Equal(2, rollout.MaskedDraws.Length);
            Assert.DoesNotContain(Tokenizer.MaskId, rollout.MaskedDraws);
        }

        Assert.All(await SampleAsync(Spec with { Reveal = "plackett-luce" }), rollout => Assert.Empty(rollout.MaskedDraws));
    }

    [Fact]
    public void Draws_must_stand_with_the_step_and_the_position_that_they_were_made_at()
    {
        // Position 1 first, then 0, then 2; the block behind has another step each.
        var record = Example();
        var draws = Steps(new(4, 4, 4, 1, "plackett-luce-sampled", false)).Plan(record, Scoring.Key()).Views.Select(view => view.Draw).ToArray();
        Assert.Equal([1, 0, 2, 3], draws[0]!.Arranged.AsEnumerable());
        Assert.Equal([6, 1, 2, 3], draws[0]!.Tokens.AsEnumerable());
        Assert.Equal([0, 2, 3], draws[1]!.Arranged.AsEnumerable());
        Assert.Equal([5, 4, 5], draws[1]!.Tokens.AsEnumerable());
        Assert.Equal([2, 3], draws[2]!.Arranged.AsEnumerable());
        Assert.Equal([7, 9], draws[2]!.Tokens.AsEnumerable());
        // What is left is certain.
        Assert.Null(draws[3]);
    }

    [Fact]
    public void Record_of_another_reveal_rule_must_be_refused()
    {
        var likelihood = Steps(new(4, 4, 4, 1, "plackett-luce-sampled", false));
        var refused = Assert.Throws<InvalidOperationException>(() => likelihood.Plan(Example() with { MaskedDraws = [] }, Scoring.Key()));
        Assert.Contains("group=1/rollout=0 carries 0 draws that stayed masked and its steps made 6: it was not sampled with rollout.reveal = plackett-luce-sampled", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Greedy_rollout_must_reveal_the_surest_of_the_most_probable_tokens_and_never_draw()
    {
        var (sampled, surest) = (new RolloutSpec(4, 4, 2, 0, "plackett-luce-sampled", false), new RolloutSpec(4, 4, 2, 0, "max-prob", false));
        static string Text(Trajectory rollout) => $"{string.Join(' ', rollout.Tokens)}|{string.Join(' ', rollout.RevealStep)}";
        Assert.Equal((await SampleAsync(surest)).Select(Text), (await SampleAsync(sampled)).Select(Text));
    }

    [Fact]
    public async Task Gradient_must_agree_with_finite_differences_and_two_stages_must_have_that_of_whole_steps()
    {
        var rollouts = await SampleAsync(Spec);
        var advantages = rollouts.Select((_, i) => (float)(i % 3) - 1).ToArray();
        var whole = ScoredGradients.Of(_model, rollouts, Steps(Spec), advantages, Spec.Temperature);
        var apart = ScoredGradients.Of(_model, rollouts, TwoStage(Spec), advantages, Spec.Temperature);
        Assert.All(whole.Keys, name => Assert.True((whole[name] - apart[name]).abs().max().item<float>() < 1e-4, name));
        foreach (var name in new[] { "model.transformer.blocks.0.q_proj.weight", "model.transformer.blocks.1.ff_out.weight", "model.transformer.ff_out.weight", "model.transformer.wte.weight" })
            ScoredGradients.AssertFiniteDifference(_model, name, whole[name], () => ScoredGradients.Value(_model, rollouts, Steps(Spec), advantages, Spec.Temperature));
    }

    [Fact]
    public void Two_stages_must_be_a_unit_a_token_and_one_a_draw_with_the_advantage_of_its_step()
    {
        var table = new UnitTable();
        var record = Example();
        table.Add(0, record, new RolloutAdvantage(record, [.5f, 1, -.25f, 2]), TwoStage(new(4, 4, 4, 1, "plackett-luce-sampled", false)).Plan(record, Scoring.Key()), 0);
        Assert.Equal([-.2f, -.5f, -.1f, -.6f, -.3f, -.7f, -.4f], table.Units.Select(unit => unit.Behaviour));
        Assert.Equal([1, 1, .5f, .5f, -.25f, -.25f, 2], table.Units.Select(unit => unit.Advantage));
    }

    private static Trajectory Example() => new(
        new(1, 0), [1], [5, 6, 7, 8], [1, 0, 2, 3], [-.1f, -.2f, -.3f, -.4f], [-.5f, -.6f, -.7f, 0], 1, [new(0, 0, "h")], "")
    {
        RevealRank = [0, 0, 0, 0],
        MaskedDraws = [1, 2, 3, 4, 5, 9],
    };

    private static TrajectoryLikelihood Steps(RolloutSpec spec) => new(RatioGranularity.Step, StepSubset.All, spec);

    private static TrajectoryLikelihood TwoStage(RolloutSpec spec) => new(RatioGranularity.Token, StepSubset.All, spec, twoStage: true);

    private Task<Trajectory[]> SampleAsync(RolloutSpec spec, bool alone = false) => TinyPolicy.SampleAsync(_model, Tokenizer, spec, alone);
}
