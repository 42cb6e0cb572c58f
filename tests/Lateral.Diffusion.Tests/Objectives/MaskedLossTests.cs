using Lateral.Core;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class MaskedLossTests
{
    private static readonly TransformerSpec Tiny = TransformerSpec.OfSize("quickstart", vocabulary: 11, maskToken: 10);

    [Fact]
    public void Mask_must_give_ids_targets_and_weights_of_hand_computation()
    {
        SupervisedExample[] examples = [new([7, 3], [3, 7]), new([5], [1, 2, 4])];
        double[][] uniforms = [[0.4, 0.6], [0.24, 0.26, 0.9]];
        var batch = NoisyBatch.Mask(examples, [0.5, 0.25], (b, j) => uniforms[b][j], 0, maskToken: 10, padToken: 9);
        Assert.Equal([7, 3, 10, 7, 5, 10, 2, 4], batch.Ids_BL);
        Assert.Null(batch.Attend_BL);
        Assert.Equal([2, 5], batch.Rows_N);
        Assert.Equal([3, 1], batch.Targets_N);
        // 1 / (t * answer length * B)
        Assert.Equal([1 / (0.5f * 2 * 2), 1 / (0.25f * 3 * 2)], batch.Weights_N);

        // eps = 0.1 lifts p to 0.325 for the second row: its second token is masked too, and weighs less.
        batch = NoisyBatch.Mask(examples, [0.5, 0.25], (b, j) => uniforms[b][j], 0.1, 10, 9);
        Assert.Equal([2, 5, 6], batch.Rows_N);
        Assert.Equal((float)(1 / (0.325 * 3 * 2)), batch.Weights_N[1]);
    }

    [Fact]
    public void Mask_must_pad_and_hide_the_padding()
    {
        var batch = NoisyBatch.Mask([new([7], [3]), new([5], [1, 2])], [1, 1], (_, _) => 0.5, 0, 10, 9);
        Assert.Equal([7, 10, 9, 5, 10, 10], batch.Ids_BL);
        Assert.Equal([true, true, false, true, true, true], batch.Attend_BL!);
        Assert.Equal([1, 4, 5], batch.Rows_N);
    }

    [Fact]
    public void Stratified_ratios_must_mask_each_stratum_at_its_rate()
    {
        // 50 strata, 400 answer tokens each: stratum b must be masked about (b + 1/2) / 50 of the time.
        var examples = Enumerable.Repeat(new SupervisedExample([], new int[400]), 50).ToList();
        using var model = ModelStore.Fresh(Tiny, seed: 1);
        var batch = new MaskedObjective().Noise(model, examples, new(new CounterRandom(4), 0, 1, 0));
        var counts = batch.Rows_N.GroupBy(row => row / 400).ToDictionary(group => (int)group.Key, group => group.Count());
        for (var b = 0; b < 50; b++)
        {
            var (low, high) = (b / 50.0, (b + 1) / 50.0);
            var slack = 4.5 * Math.Sqrt(0.25 / 400);
            Assert.InRange(counts.GetValueOrDefault(b) / 400.0, low - slack, high + slack);
        }
    }

    [Fact]
    public void Loss_of_a_uniform_model_must_be_the_entropy_of_its_ten_tokens()
    {
        using var scope = NewDisposeScope();
        using var model = ModelStore.Fresh(Tiny, seed: 1);
        using (no_grad()) model.Parameters[TinyPolicy.Head].zero_();
        // Everything masked at t = 1: the weights sum to one, and the mask token takes no probability.
        var batch = NoisyBatch.Mask([new([1, 2], [3, 4]), new([1, 2], [3, 4])], [1, 1], (_, _) => 0.5, 0, 10, 0);
        Assert.Equal(Math.Log(10), MaskedLoss.Of(model, batch).item<float>(), 1e-6);
        Assert.Equal(Math.Log(11), MaskedLoss.Of(model, batch, maskIsToken: true).item<float>(), 1e-6);
        var clean = NoisyBatch.Mask([new([1, 2], [3, 4])], [0], (_, _) => 0.5, 0, 10, 0);
        Assert.Equal(0, MaskedLoss.Of(model, clean).item<float>());
    }

    [SharedTheory]
    [InlineData("sft")]
    [InlineData("pretrain")]
    public void Loss_and_all_gradients_must_equal_the_reference(string form)
    {
        using var scope = NewDisposeScope();
        using var model = LladaFixture.Load(trainable: true);
        var fixture = LladaFixture.Json("case-loss");
        using var tensors = LladaFixture.Tensors("case-loss");
        var (ids, noisy, epsilon) = (fixture.Rows("input_ids"), fixture.Rows("noisy_" + form), fixture.GetProperty("eps").GetDouble());
        var prompts = fixture.GetProperty("prompt_lengths").EnumerateArray().Select(length => form == "sft" ? length.GetInt32() : 0).ToArray();
        var uniform = tensors.Read("u");
        var t = tensors.Read("t").data<float>().Select(value => (double)value).ToArray();
        var examples = ids.Select((row, b) => new SupervisedExample([.. row[..prompts[b]].Select(id => (int)id)], [.. row[prompts[b]..].Select(id => (int)id)])).ToArray();

        var batch = NoisyBatch.Mask(examples, t, (b, j) => uniform[b, prompts[b] + j].item<float>(), epsilon, model.Spec.MaskToken, model.Spec.PadToken!.Value);
        Assert.Equal(noisy.SelectMany(row => row), batch.Ids_BL);
        var loss = MaskedLoss.Of(model, batch, maskIsToken: true);
        Assert.Equal(fixture.GetProperty("loss_" + form).GetDouble(), loss.item<float>(), 2e-5);

        loss.backward();
        foreach (var (name, parameter) in model.Parameters)
        {
            var expected = tensors.Read($"grad_{form}.{name}");
            // Relative to the tensor's own scale: gradients here range over four orders of magnitude.
            Assert.InRange(LladaFixture.LargestDifference(expected, parameter.grad!) / (1e-3 + expected.abs().max().item<float>()), 0, 5e-5);
        }

        Assert.Equal(fixture.GetProperty("grad_norm_" + form).GetDouble(), Gradients.Norm(model.Parameters.Values), 1e-3);
    }

    [SharedFact]
    public void Token_log_probabilities_must_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var tensors = LladaFixture.Tensors("case-loss");
        var fixture = LladaFixture.Json("case-loss");
        var positions = fixture.Rows("masked_positions_sft");
        var rows = tensor(positions.Select(p => (p[0] * 20) + p[1]).ToArray());
        var targets = tensors.Read("input_ids").view(-1).index_select(0, rows);
        var logProbs = MaskedLoss.TokenLogProbs(tensors.Read("logits_sft").view(40, -1).index_select(0, rows), targets);
        var expected = fixture.GetProperty("token_ce_sft").EnumerateArray().Select(value => -value.GetSingle()).ToArray();
        Assert.Equal(expected, logProbs.data<float>().ToArray(), (a, b) => Math.Abs(a - b) < 2e-5);
    }
}
