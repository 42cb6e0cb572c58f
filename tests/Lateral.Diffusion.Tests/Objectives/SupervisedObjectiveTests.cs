using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public sealed class SupervisedObjectiveTests : IDisposable
{
    private const int Mask = 10;

    private static readonly CounterRandom Random = new(9);

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly TransformerModel _model = ModelStore.Fresh(TransformerSpec.OfSize("quickstart", vocabulary: 11, maskToken: Mask), seed: 1);

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Part_of_an_answer_must_be_asked_about_with_what_is_before_clean_and_what_is_behind_hidden()
    {
        // Every uniform but that of the fourth token lies below t; only the third and the fourth are in question.
        var batch = NoisyBatch.Mask(
            [new([7], [1, 2, 3, 4, 5, 6])], [new AnswerNoise(0.5, 2, 4)], (_, j) => j == 3 ? 0.6 : 0.1, 0, Mask, 0);
        Assert.Equal([7, 1, 2, Mask, 4, Mask, Mask], batch.Ids_BL);
        Assert.Equal([3], batch.Rows_N);
        Assert.Equal([3], batch.Targets_N);
        Assert.Equal([1 / (0.5f * 2)], batch.Weights_N);

        // What is shown stands in the gold answer's place, and the gold answer is what is right.
        batch = NoisyBatch.Mask([new([7], [1, 2])], [new AnswerNoise(0.5, 0, 2) { Shown = [8, 9] }], (_, j) => j, 0, Mask, 0);
        Assert.Equal([7, Mask, 9], batch.Ids_BL);
        Assert.Equal([1], batch.Targets_N);
    }

    [Fact]
    public void Masked_must_be_the_stratified_masks_of_its_formula_to_the_bit()
    {
        var examples = Examples(rows: 16, answer: 5);
        var batch = new MaskedObjective().Noise(_model, examples, Noise(step: 3));
        var ratios = examples.Select((_, b) => (b + Random.Uniform(RandomStream.Noise, 3, b, draw: 1)) / 16).ToArray();
        var (ids, rows, weights) = (new List<long>(), new List<long>(), new List<float>());
        for (var b = 0; b < 16; b++)
        {
            ids.AddRange(examples[b].Prompt.Select(id => (long)id));
            for (var j = 0; j < 5; j++)
            {
                var masked = Random.Uniform(RandomStream.Noise, 3, b, position: j) < ratios[b];
                ids.Add(masked ? Mask : examples[b].Answer[j]);
                if (!masked) continue;
                rows.Add((b * 7) + 2 + j);
                weights.Add((float)(1 / (ratios[b] * 5 * 16)));
            }
        }

        Assert.Equal(ids, batch.Ids_BL);
        Assert.Equal(rows, batch.Rows_N);
        Assert.Equal(weights, batch.Weights_N);
    }

    [Fact]
    public void Block_must_noise_one_block_and_draw_it_in_proportion_to_its_length()
    {
        // Five tokens in blocks of two: two whole blocks and one of a single token.
        var firsts = new Dictionary<int, int>();
        var examples = Examples(rows: 250, answer: 5);
        for (var step = 0; step < 40; step++)
        {
            var batch = new BlockObjective(2).Noise(_model, examples, Noise(step));
            for (var b = 0; b < 250; b++)
            {
                var first = (int)(Random.Uniform(RandomStream.Noise, step, b, draw: 2) * 5) / 2 * 2;
                firsts[first] = firsts.GetValueOrDefault(first) + 1;
                AssertSpan(batch, examples[b], b, first, Math.Min(5, first + 2));
            }
        }

        // 10,000 draws: four standard deviations are 2 %.
        Assert.InRange(firsts[0] / 1e4, 0.38, 0.42);
        Assert.InRange(firsts[2] / 1e4, 0.38, 0.42);
        Assert.InRange(firsts[4] / 1e4, 0.18, 0.22);
    }

    [Fact]
    public void Multi_pass_must_glance_at_the_next_thought_as_often_as_told_and_never_behind_the_last()
    {
        var examples = Examples(rows: 200, answer: 6);
        var (glances, inner) = (0, 0);
        for (var step = 0; step < 40; step++)
        {
            var batch = new MultiPassObjective(2, 0.25).Noise(_model, examples, Noise(step));
            for (var b = 0; b < 200; b++)
            {
                var first = (int)(Random.Uniform(RandomStream.Noise, step, b, draw: 2) * 6) / 2 * 2;
                var glance = Random.Uniform(RandomStream.Noise, step, b, draw: 7) < 0.25;
                AssertSpan(batch, examples[b], b, first, Math.Min(6, first + (glance ? 4 : 2)));
                if (first == 4) continue;
                inner++;
                if (glance) glances++;
            }
        }

        Assert.InRange((double)glances / inner, 0.22, 0.28);
        var without = new MultiPassObjective(2, 0).Noise(_model, examples, Noise(1));
        Assert.Equal(new BlockObjective(2).Noise(_model, examples, Noise(1)).Ids_BL, without.Ids_BL);
    }

    [Fact]
    public void Gold_probability_must_fall_linearly_from_one_to_its_floor()
    {
        var objective = new ThoughtObjective(0.95);
        Assert.Equal([1, 0.9875, 0.975, 0.9625], Enumerable.Range(0, 4).Select(step => Math.Round(objective.GoldProbability(step, 4), 12)));
        Assert.Equal([1, 0.75, 0.5, 0.25], Enumerable.Range(0, 4).Select(step => new ThoughtObjective(0).GoldProbability(step, 4)));
    }

    [Fact]
    public void Thoughts_must_be_masked_as_ever_while_they_are_gold()
    {
        var examples = Examples(rows: 16, answer: 5);
        var (masked, thought) = (new MaskedObjective().Noise(_model, examples, Noise(3)), new ThoughtObjective(1).Noise(_model, examples, Noise(3)));
        Assert.Equal(masked.Ids_BL, thought.Ids_BL);
        Assert.Equal(masked.Weights_N, thought.Weights_N);
        // The first step is all gold whatever the floor.
        Assert.Equal(new MaskedObjective().Noise(_model, examples, Noise(0)).Ids_BL, new ThoughtObjective(0).Noise(_model, examples, Noise(0)).Ids_BL);
    }

    [Fact]
    public void Thoughts_that_the_model_made_must_be_its_draws_where_its_noisier_answer_was_masked()
    {
        // All ten tokens are as likely, so the draw of a uniform u is floor(10 u).
        using (no_grad()) _model.Parameters[TinyPolicy.Head].zero_();
        var examples = Examples(rows: 64, answer: 5);
        var noise = new StepNoise(Random, Step: 99, Steps: 100, 0);
        var batch = new ThoughtObjective(0).Noise(_model, examples, noise);
        var replaced = 0;
        for (var b = 0; b < 64; b++)
        {
            double Draw(int draw, int j = 0) => Random.Uniform(RandomStream.Noise, 99, b, position: j, draw: draw);
            var t = (b + Draw(1)) / 64;
            var u = t + ((1 - t) * Draw(4));
            for (var j = 0; j < 5; j++)
            {
                // One row in a hundred is gold.
                var own = Draw(3) >= 0.01 && Draw(5, j) < u;
                var shown = own ? (int)(10 * Draw(6, j)) : examples[b].Answer[j];
                if (own && shown != examples[b].Answer[j]) replaced++;
                Assert.Equal(Draw(0, j) < t ? Mask : shown, batch.Ids_BL[(b * 7) + 2 + j]);
            }

            Assert.Equal(examples[b].Prompt.Select(id => (long)id), batch.Ids_BL[(b * 7)..((b * 7) + 2)]);
        }

        Assert.InRange(replaced, 100, 320);
        foreach (var (row, target) in batch.Rows_N.Zip(batch.Targets_N)) Assert.Equal(examples[(int)row / 7].Answer[((int)row % 7) - 2], target);
    }

    [Theory]
    [InlineData("masked")]
    [InlineData("block")]
    [InlineData("dot")]
    [InlineData("dot-mp")]
    public void Noise_of_a_row_must_not_depend_on_the_other_rows_examples(string name)
    {
        var objective = SupervisedCatalogue.Create(MethodSettings.Of(name, ("gold-floor", 0), ("glance", 0.5)), blockLength: 2);
        var (these, others) = (Examples(rows: 32, answer: 6), Examples(rows: 32, answer: 6, first: 500));
        var noise = new StepNoise(Random, Step: 9, Steps: 10, 0);
        var batch = objective.Noise(_model, these, noise);
        foreach (var b in new[] { 0, 13, 31 })
        {
            var mixed = objective.Noise(_model, [.. others.Select((other, row) => row == b ? these[b] : other)], noise);
            Assert.Equal(batch.Ids_BL[(b * 8)..((b + 1) * 8)], mixed.Ids_BL[(b * 8)..((b + 1) * 8)]);
        }

        Assert.Equal(batch.Ids_BL, objective.Noise(_model, these, noise).Ids_BL);
    }

    [Fact]
    public void Catalogue_must_make_every_rule_and_refuse_other_names()
    {
        var made = SupervisedRules.All.Select(rule => SupervisedCatalogue.Create(MethodSettings.Of(rule.Name, [.. rule.Knobs.Select(knob => (knob.Name, knob.Most))]), 5));
        Assert.Equal(SupervisedRules.All.Count, made.Select(objective => objective.GetType()).Distinct().Count());
        Assert.Contains("unknown supervised objective 'plaid'; one of: masked, block, dot, dot-mp", Assert.Throws<ArgumentException>(() => SupervisedCatalogue.Create(MethodSettings.Of("plaid"), 5)).Message, StringComparison.Ordinal);
    }

    /// <summary>Clean before the span, hidden behind it, asked about inside it only, each at 1 / (t * span * B).</summary>
    private static void AssertSpan(NoisyBatch batch, SupervisedExample example, int b, int first, int end)
    {
        var start = (b * batch.Length) + example.Prompt.Count;
        for (var j = 0; j < example.Answer.Count; j++)
        {
            var id = batch.Ids_BL[start + j];
            if (j < first) Assert.Equal(example.Answer[j], id);
            else if (j >= end) Assert.Equal(Mask, id);
            else Assert.True(id == Mask == Array.BinarySearch(batch.Rows_N, start + j) >= 0);
            if (j < first || j >= end) Assert.True(Array.BinarySearch(batch.Rows_N, start + j) < 0);
        }
    }

    private static StepNoise Noise(int step) => new(Random, step, 100, 0);

    /// <summary>Two digits of prompt.</summary>
    private static SupervisedExample[] Examples(int rows, int answer, int first = 0) =>
        [.. Enumerable.Range(first, rows).Select(row => new SupervisedExample(Digits(row, 0, 2), Digits(row, 1, answer)))];

    private static int[] Digits(int row, int part, int count) => [.. Enumerable.Range(0, count).Select(i => Random.Below(10, RandomStream.Corpus, row, part, position: i))];
}
