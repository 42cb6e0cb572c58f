using Lateral.Core;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class LladaForwardTests
{
    // Measured agreement of independent implementations in float32 on these hot random weights (standard deviation of logits 3.9).
    private const double Tolerance = 5e-5;

    [Fact]
    public void Logits_must_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = LladaFixture.Load();
        using var expected = LladaFixture.Tensors("case-forward");
        var logits = model.Logits(model.Hidden(expected.Read("input_ids")).view(-1, model.Spec.Width)).view(2, 24, -1);
        Assert.InRange(LladaFixture.LargestDifference(expected.Read("logits"), logits), 0, Tolerance);
        Assert.InRange(LladaFixture.LargestDifference(expected.Read("logits_f64"), logits), 0, Tolerance);
    }

    [Fact]
    public void Hidden_states_must_equal_the_reference_after_every_block()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = LladaFixture.Load();
        using var expected = LladaFixture.Tensors("case-forward");
        var states = model.HiddenStates(expected.Read("input_ids")).ToList();
        Assert.Equal(3, states.Count);
        for (var i = 0; i < states.Count; i++)
            Assert.InRange(LladaFixture.LargestDifference(expected.Read($"hidden_states.{i}"), states[i]), 0, Tolerance);
    }

    [Fact]
    public void Padding_must_be_masked_as_the_reference_does()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = LladaFixture.Load();
        using var expected = LladaFixture.Tensors("case-forward");
        var attend = expected.Read("attention_mask");
        var logits = model.Logits(model.Hidden(expected.Read("input_ids"), attend).view(-1, model.Spec.Width)).view(2, 24, -1);
        Assert.InRange(LladaFixture.LargestDifference(expected.Read("logits_attention_mask"), logits), 0, Tolerance);
        Assert.True(LladaFixture.LargestDifference(expected.Read("logits"), logits) > 0.1);
    }

    [Fact]
    public void Padding_on_either_side_must_not_change_real_tokens()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = ModelStore.Fresh(TransformerSpec.OfSize("quickstart", 11, 10), seed: 3);
        long[] real = [1, 5, 10, 10, 3, 9, 10, 0, 2, 10];
        var alone = model.Hidden(tensor(real, 1, real.Length));
        // 10 tokens take the manual attention, 20 the fused one; rotary positions are relative, so a shift changes nothing.
        foreach (var (left, right) in new[] { (0, 3), (3, 0), (0, 10), (7, 3) })
        {
            var padded = new long[left].Concat(real).Concat(new long[right]).ToArray();
            var attend = padded.Select((_, i) => i >= left && i < left + real.Length).ToArray();
            var hidden = model.Hidden(tensor(padded, 1, padded.Length), tensor(attend, 1, padded.Length)).narrow(1, left, real.Length);
            Assert.InRange(LladaFixture.LargestDifference(alone, hidden), 0, 2e-5);
        }
    }

    [Fact]
    public void Attention_must_be_bidirectional()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = ModelStore.Fresh(TransformerSpec.OfSize("quickstart", 11, 10), seed: 3);
        var first = model.Hidden(tensor(new long[] { 1, 2, 3, 4 }, 1, 4)).narrow(1, 0, 1);
        var changedEnd = model.Hidden(tensor(new long[] { 1, 2, 3, 9 }, 1, 4)).narrow(1, 0, 1);
        Assert.True(LladaFixture.LargestDifference(first, changedEnd) > 1e-3);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(20)]
    public void Chosen_rows_must_equal_the_same_rows_of_all_with_the_same_gradients(int length)
    {
        using var scope = NewDisposeScope();
        using var model = ModelStore.Fresh(TransformerSpec.OfSize("quickstart", 11, 10), seed: 5);
        var random = new CounterRandom(1);
        var ids = tensor(Enumerable.Range(0, 3 * length).Select(i => (long)random.Below(11, RandomStream.Noise, i)).ToArray(), 3, length);
        var rows = tensor(new long[] { 2, 7, length + 1, (3 * length) - 1 });

        var fromAll = model.Hidden(ids).view(-1, 64).index_select(0, rows);
        fromAll.Squared().sum().backward();
        var expected = model.Parameters.ToDictionary(pair => pair.Key, pair => pair.Value.grad?.clone());
        foreach (var parameter in model.Parameters.Values) parameter.grad?.zero_();

        var chosen = model.HiddenRows(ids, rows);
        chosen.Squared().sum().backward();
        Assert.InRange(LladaFixture.LargestDifference(fromAll, chosen), 0, 1e-5);
        foreach (var (name, parameter) in model.Parameters.Where(pair => expected[pair.Key] is not null))
            Assert.InRange(LladaFixture.LargestDifference(expected[name]!, parameter.grad!), 0, 2e-4);
        Assert.Equal("model.transformer.ff_out.weight", expected.Single(pair => pair.Value is null).Key);
    }

    [Fact]
    public void TokenLogits_must_never_allow_the_mask_token()
    {
        using var scope = NewDisposeScope();
        using var model = ModelStore.Fresh(TransformerSpec.OfSize("quickstart", 11, maskToken: 4), seed: 5);
        var hidden = model.Hidden(tensor(new long[] { 4, 4, 1 }, 1, 3)).view(-1, 64);
        var raw = model.Logits(hidden);
        var probabilities = model.TokenLogits(hidden).softmax(-1);
        Assert.Equal([0f, 0f, 0f], probabilities.narrow(1, 4, 1).contiguous().data<float>().ToArray());
        var expected = raw.exp().div(raw.exp().sum(-1, keepdim: true).sub(raw.narrow(1, 4, 1).exp()));
        Assert.InRange(LladaFixture.LargestDifference(expected.narrow(1, 5, 6), probabilities.narrow(1, 5, 6)), 0, 1e-6);
        probabilities.narrow(1, 0, 1).sum().backward();
        Assert.False(model.Parameters["model.transformer.ff_out.weight"].grad!.isnan().any().item<bool>());
    }

    [Fact]
    public async Task Forward_and_backward_must_leave_no_tensor_behind()
    {
        using var device = new DeviceThread("test");
        var counts = new List<long>();
        TransformerModel? model = null;
        await device.Run(() => { model = ModelStore.Fresh(TransformerSpec.OfSize("quickstart", 11, 10), seed: 5); });
        for (var i = 0; i < 6; i++)
        {
            await device.Run(() =>
            {
                model!.TokenLogits(model.HiddenRows(ones(4, 12, ScalarType.Int64), tensor(new long[] { 1, 2 }))).log_softmax(-1).narrow(1, 0, 1).sum().backward();
                foreach (var parameter in model.Parameters.Values) parameter.grad = null;
            }, Autograd.On).WaitAsync(TimeSpan.FromSeconds(30));
            counts.Add(await device.Run(() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount));
        }

        // The first pass fills the rotary table; then the count stands still.
        Assert.Single(counts.Skip(1).Distinct());
        await device.Run(() => model!.Dispose());
    }
}
