using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Diffusion.Checkpoints;
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
        // Master weights are float32: updates below half a unit of bfloat16's last place would be lost.
        var type = Model.Precision == ModelPrecision.BFloat16 && (Model.Adapter is not null || !trainable) ? ScalarType.BFloat16 : ScalarType.Float32;
        return Model.Path is { } path ? Load(path, device, trainable, type) : ModelStore.Fresh(Fresh, Seed, device, trainable, type);
    }

    /// <summary>A second policy that is never trained beside a built one; where adapters are trained both share the weights below.</summary>
    internal TransformerModel BuildReference(TransformerModel model)
    {
        if (model.Adapter is not { } adapter) return Build(model.Device, trainable: false);
        return model.Sharing(AdapterOf(model.Spec, Model.Adapter!, model.Device, trainable: false, adapter.BaseHash));
    }

    /// <summary>Writes an adapter's policy as a whole model, config.json and weights, in the element types of the model that it adds to.</summary>
    /// <param name="weights">the adapter's weights file</param>
    /// <param name="folder">an existing one</param>
    /// <returns>SHA-256 of the weights file</returns>
    /// <exception cref="ModelException">a file cannot be used, or the adapter is of another model</exception>
    /// <exception cref="SafetensorsException">a weights file is not sound</exception>
    public string WriteMerged(string weights, string folder)
    {
        using var model = Load(Model.Path ?? throw new InvalidOperationException("only an adapter of a model on disk can be merged"), CPU, trainable: false, type: null);
        using (var file = SafetensorsFile.Open(weights)) ModelStore.CopyInto(model, file, weights);
        model.Merge();
        return ModelStore.Save(model, folder);
    }

    private LoraAdapter AdapterOf(TransformerSpec spec, AdapterSettings adapter, Device device, bool trainable, string? baseHash) => adapter.Path is { } folder
        ? LoraAdapter.Load(folder, spec, device, trainable, baseHash)
        : LoraAdapter.Fresh(spec, LoraSettings.Of(adapter, spec, Model.Path), Seed, device, trainable, baseHash);

    /// <param name="type">null = as in the files</param>
    private TransformerModel Load(string path, Device device, bool trainable, ScalarType? type)
    {
        // Refused before a weight is read.
        var spec = Spec;
        if (spec.MaskToken != MaskId || spec.Vocabulary < Vocabulary)
            throw new ModelException($"the model in '{path}' masks with token {spec.MaskToken} of {spec.Vocabulary}, the task's tokenizer with {MaskId} of {Vocabulary}: use the model's own tokenizer");
        var model = ModelStore.Load(path, device, trainable && Model.Adapter is null, type, UnmaskingPolicy ? Seed : null);
        if (Model.Adapter is not { } adapter) return model;
        model.Adapter = AdapterOf(spec, adapter, device, trainable, ModelStore.HashOf(path));
        foreach (var parameter in model.Policy.Values) parameter.requires_grad = trainable;
        return model;
    }
}
