using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Blocks that are computed again give the gradients of blocks that were kept.</summary>
public sealed class ActivationCheckpointTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Gradients_must_be_those_of_kept_activations(bool looped, bool padded)
    {
        var spec = TransformerSpec.OfSize("quickstart", 11, 10) with { Loop = looped ? new LoopSpec(1, 3, 2) : null };
        Assert.Equal(Gradients(spec, padded, checkpointing: false), Gradients(spec, padded, checkpointing: true));
    }

    [Fact]
    public void Adapter_on_a_frozen_model_must_have_the_same_gradients()
    {
        var spec = TransformerSpec.OfSize("quickstart", 11, 10);
        float[] Of(bool checkpointing)
        {
            using var scope = NewDisposeScope();
            using var model = ModelStore.Fresh(spec, 3, trainable: false);
            model.Adapter = LoraAdapter.Fresh(spec, LoraSettings.Of(new(4, 8, false, []), spec, null), 7);
            // B begins at zero, which would leave A without a gradient.
            using (no_grad())
            {
                foreach (var (i, parameter) in model.Policy.Values.Index()) parameter.copy_(HostTensor.Of([.. Enumerable.Range(0, (int)parameter.numel()).Select(n => MathF.Sin(n + i))], parameter.shape).Times(.05));
            }

            return GradientsOf(model, padded: false, checkpointing);
        }

        var expected = Of(false);
        Assert.Contains(expected, value => value != 0);
        Assert.Equal(expected, Of(true));
    }

    private static float[] Gradients(TransformerSpec spec, bool padded, bool checkpointing)
    {
        using var model = ModelStore.Fresh(spec, 3);
        return GradientsOf(model, padded, checkpointing);
    }

    private static float[] GradientsOf(TransformerModel model, bool padded, bool checkpointing)
    {
        using var scope = NewDisposeScope();
        model.ActivationCheckpointing = checkpointing;
        var ids_BL = HostTensor.Of([1L, 2, 10, 4, 5, 6, 10, 8, 9, 1, 10, 3], 2, 6);
        var attend_BL = padded ? HostTensor.Of([1L, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0], 2, 6) : null;
        var rows_ND = model.HiddenRows(ids_BL, HostTensor.Of([2L, 6, 7]), attend_BL);
        model.Backward(model.Logits(rows_ND).log_softmax(-1).narrow(1, 3, 1).sum());
        return [.. model.Policy.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => (pair.Value.grad ?? zeros_like(pair.Value)).contiguous().data<float>().ToArray())];
    }
}
