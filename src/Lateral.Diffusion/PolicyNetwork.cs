using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion;

/// <summary>The policy network of a run, described without torch so that hosts can pass it on: engines build it on their device.</summary>
/// <param name="Seed">a fresh model's values follow from it</param>
/// <param name="MaxLength">longest canvas of a fresh model, in tokens</param>
public sealed record PolicyNetwork(ModelSettings Model, int Vocabulary, int MaskId, int? EndId, ulong Seed, int MaxLength = 1024)
{
    public PolicyNetwork(ModelSettings model, ITokenizer tokenizer, ulong seed)
        : this(model, tokenizer.VocabularySize, tokenizer.MaskId, tokenizer.EndId, seed)
    {
    }

    /// <summary>Whether the order of revealing is learned: the network then has an unmasking policy, a fresh one where its files have none.</summary>
    public bool UnmaskingPolicy { get; init; }

    /// <summary>Its sizes, read without touching a tensor.</summary>
    /// <exception cref="ModelException">config.json is absent, or asks for mathematics that is not implemented</exception>
    public TransformerSpec Spec
    {
        get
        {
            if (Model.Path is not { } path) return Fresh;
            var spec = Agreeing(ModelStore.ReadSpec(path), path);
            return (spec with { UnmaskingPolicy = spec.UnmaskingPolicy || UnmaskingPolicy }).Checked();
        }
    }

    private TransformerSpec Fresh => new TransformerSpec(
        Model.Size.Width, Model.Size.Layers, Model.Size.Heads, Model.Size.MlpWidth, Vocabulary, MaxLength, 1e-5, 10_000, MaskId, EndId, null)
    {
        UnmaskingPolicy = UnmaskingPolicy,
        Causal = Model.Causal,
    }.Checked();

    private TransformerSpec Agreeing(TransformerSpec spec, string path) => spec.Causal == Model.Causal ? spec : throw new ModelException(
        spec.Causal ? $"the model in '{path}' is autoregressive: write model.attention = causal" : $"the model in '{path}' sees what stands behind a position, too: write model.attention = full");

    /// <exception cref="ModelException">the files cannot be used, or were trained with other special tokens than the tokenizer's</exception>
    internal TransformerModel Build(Device device, bool trainable)
    {
        if (Model.Path is not { } path) return ModelStore.Fresh(Fresh, Seed, device, trainable);

        // Refused before a weight is read.
        _ = Spec;
        // Master weights are float32: updates below half a unit of bfloat16's last place would be lost.
        var model = ModelStore.Load(path, device, trainable, trainable ? ScalarType.Float32 : null, UnmaskingPolicy ? Seed : null);
        if (model.Spec.MaskToken == MaskId && model.Spec.Vocabulary >= Vocabulary) return model;
        using (model)
        {
            throw new ModelException(
                $"the model in '{path}' masks with token {model.Spec.MaskToken} of {model.Spec.Vocabulary}, the task's tokenizer with {MaskId} of {Vocabulary}: use the model's own tokenizer");
        }
    }
}
