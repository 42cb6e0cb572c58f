using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.RewardModels;

/// <summary>
/// What a prompt's completion is worth, learned from preferences: a transformer of any family that reads the whole text, and one number a position in place of a word's score. The reward is the mean of
/// that number over the completion.
/// </summary>
/// <remarks>
/// The mean, and not the last token: a masked diffusion model that sees everything has been trained to say at each position what belongs there, and has no place that sums a text up. It does not grow with a
/// text's length. There is no bias: preferences see differences only. Everything is float32. Shapes: B texts, L length, R = B * L rows, D width.
/// </remarks>
public sealed class RewardModel : IDisposable
{
    /// <summary>The head's name in weights files, [1, D].</summary>
    public const string Head = "reward_head";

    private readonly TransformerModel _core;

    /// <param name="core">without a head of its own, with <see cref="Head"/> among its parameters; it is this object's</param>
    internal RewardModel(TransformerModel core) => _core = core;

    public TransformerSpec Spec => _core.Spec;

    public Device Device => _core.Device;

    /// <summary>All of them, the head included, by their names in weights files.</summary>
    public IReadOnlyDictionary<string, Tensor> Parameters => _core.Parameters;

    /// <inheritdoc cref="TransformerModel.ActivationCheckpointing"/>
    internal bool ActivationCheckpointing
    {
        set => _core.ActivationCheckpointing = value;
    }

    /// <summary>Stands where nothing does.</summary>
    internal int Fill => Spec.PadToken ?? Spec.EosToken ?? Spec.MaskToken;

    /// <returns>[B] rewards, float32, in the batch's order; padding does not change them beyond rounding</returns>
    /// <exception cref="ArgumentException">a text is longer than the model's longest</exception>
    internal Tensor Of(RewardBatch batch)
    {
        if (batch.Length > Spec.MaxLength) throw new ArgumentException($"a text has {batch.Length} tokens, the model reads {Spec.MaxLength}", nameof(batch));
        using var scope = NewDisposeScope();
        var packed = new PackedUpload([batch.Ids, batch.Attended, batch.Shares], _core);
        var ids_BL = packed.Next(ScalarType.Int64).view(batch.Texts, batch.Length);
        var attended_BL = packed.Next(ScalarType.Bool).view(batch.Texts, batch.Length);
        var share_BL = packed.Next(ScalarType.Float32).view(batch.Texts, batch.Length);
        var hidden_BLD = _core.Hidden(ids_BL, batch.Padded ? attended_BL : null);
        var each_BL = nn.functional.linear(hidden_BLD.view(-1, Spec.Width), Parameters[Head]).view(batch.Texts, batch.Length);
        return each_BL.Times(share_BL).sum(1).MoveToOuterDisposeScope();
    }

    /// <summary>Rewards without gradients, in the order of the texts.</summary>
    /// <param name="tokens">what a forward holds at most</param>
    /// <exception cref="DeviceMemoryException">a forward does not fit; says its shape</exception>
    internal float[] Of(IReadOnlyList<RewardText> texts, int tokens)
    {
        var rewards = new float[texts.Count];
        foreach (var cut in RewardBatch.Cut([.. texts.Select(text => text.Length)], tokens))
        {
            using var scope = NewDisposeScope();
            using var quiet = no_grad();
            var batch = RewardBatch.Pack([.. cut.Select(index => texts[index])], Fill);
            var values = RewardMemory.Guarded(batch, this, () => Of(batch).cpu().data<float>().ToArray());
            foreach (var (place, index) in cut.Index()) rewards[index] = values[place];
        }

        return rewards;
    }

    /// <summary>Adds to all parameters' gradients.</summary>
    internal void Backward(Tensor loss) => _core.Backward(loss);

    public void Dispose() => _core.Dispose();
}
