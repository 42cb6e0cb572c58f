using Lateral.Core;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>What a directory of a released model leaves open.</summary>
/// <param name="MaskToken">where neither its configuration nor its tokenizer names one</param>
/// <param name="AttentionBlock">instead of the published one; for block-causal models only</param>
public sealed record ModelChoices(int? MaskToken = null, int? AttentionBlock = null);

/// <summary>Where models come from and go to: drawn fresh from a seed, or a folder with config.json and weights as released.</summary>
public static class ModelStore
{
    public const string ConfigFile = "config.json";
    public const string WeightsFile = ModelWeights.File;

    /// <summary>Whether a folder looks like a model's.</summary>
    public static bool Is(string folder) => File.Exists(Path.Combine(folder, ConfigFile)) && ModelWeights.In(folder);

    /// <summary>A fresh model; every value is a function of the seed, its parameter's place in the layout and its index, of nothing else.</summary>
    public static TransformerModel Fresh(TransformerSpec spec, ulong seed, Device? device = null, bool trainable = true, ScalarType type = ScalarType.Float32) =>
        Build(spec.Checked(), device ?? CPU, trainable, (layout, place) => Draw(layout, place, new CounterRandom(seed)).to_type(type));

    /// <summary>Loads a folder of released layout. On the CPU, weights at 64-byte boundaries (all that are written here) stay in the mapped file until they are changed.</summary>
    /// <param name="type">Element type to compute in; null keeps the file's.</param>
    /// <param name="unmaskingSeed">Not null: the model gets an unmasking policy, a fresh one of this seed where the folder has none.</param>
    /// <exception cref="ModelException">The configuration asks for other mathematics, or a tensor is missing, foreign or of another shape.</exception>
    /// <exception cref="SafetensorsException">A weights file is not sound.</exception>
    public static TransformerModel Load(string folder, Device? device = null, bool trainable = true, ScalarType? type = null, ulong? unmaskingSeed = null, ModelChoices? choices = null)
    {
        var spec = ReadSpec(folder, choices);
        using var weights = ModelWeights.Open(folder);
        RequireSameNames(NamesOf(spec), weights.Names, weights.Path);
        var wanted = (spec with { UnmaskingPolicy = spec.UnmaskingPolicy || unmaskingSeed is not null }).Checked();
        return Build(wanted, device ?? CPU, trainable, (layout, place) =>
        {
            var fresh = !spec.UnmaskingPolicy && UnmaskingPolicyLayout.Owns(layout.Name);
            if (!fresh) RequireShape(weights.ShapeOf(layout.Name), layout.Name, layout.Shape, weights.Path);
            var tensor = fresh ? Draw(layout, place, new CounterRandom(unmaskingSeed!.Value)) : weights.Read(layout.Name);
            return type is { } other ? tensor.to_type(other) : tensor;
        });
    }

    /// <summary>Reads what a folder of released layout holds and checks that its weights file fits, without touching a weight or libtorch.</summary>
    /// <exception cref="ModelException">The configuration asks for other mathematics, or a tensor is missing, foreign or of another shape.</exception>
    /// <exception cref="SafetensorsException">The weights file is not sound.</exception>
    public static TransformerSpec Inspect(string folder, ModelChoices? choices = null)
    {
        var spec = ReadSpec(folder, choices);
        using var weights = ModelWeights.Open(folder);
        RequireSameNames(NamesOf(spec), weights.Names, weights.Path);
        foreach (var layout in ModelLayout.Of(spec)) RequireShape(weights.ShapeOf(layout.Name), layout.Name, layout.Shape, weights.Path);
        return spec;
    }

    /// <summary>What a folder's config.json says, and its tokenizer of the mask token.</summary>
    /// <exception cref="ModelException">The configuration asks for other mathematics.</exception>
    public static TransformerSpec ReadSpec(string folder, ModelChoices? choices = null)
    {
        var spec = ModelFamilies.Read(Path.Combine(folder, ConfigFile), () => choices?.MaskToken ?? MaskTokens.In(folder));
        if (choices?.AttentionBlock is not { } size) return spec;
        if (spec.AttentionBlock is null) throw new ModelException($"'{folder}': a {spec.Family} model sees all blocks, so it has no attention block of {size}");
        return (spec with { AttentionBlock = size }).Checked();
    }

    /// <summary>Writes the model durably into an existing folder and returns the SHA-256 of its weights file.</summary>
    public static string Save(TransformerModel model, string folder, IReadOnlyDictionary<string, string>? metadata = null)
    {
        DurableFile.WriteText(Path.Combine(folder, ConfigFile), ModelFamilies.Format(model.Spec));
        return SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), model.Parameters, new Dictionary<string, string>(metadata ?? new Dictionary<string, string>()) { ["format"] = "pt" });
    }

    /// <summary>Replaces what is a policy of a model by the values of a weights file of the same layout: a policy swap.</summary>
    /// <exception cref="ModelException">A tensor is missing, foreign or of another shape, or an adapter is of another model; no parameter has changed then.</exception>
    public static void CopyInto(TransformerModel model, SafetensorsFile file, string name)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        PolicyForm.RequireSameBase(model, file.Metadata, name);
        RequireSameNames(model.Policy.Keys, file.Tensors.Select(entry => entry.Name), name);
        var values = model.Policy.Select(pair => (Parameter: pair.Value, Value: Shaped(file, pair.Key, pair.Value.shape, name))).ToList();
        foreach (var (parameter, value) in values) parameter.copy_(value);
    }

    /// <summary>SHA-256 of a folder's weights: of its file, or of its shards' in their order.</summary>
    public static string HashOf(string folder)
    {
        using var weights = ModelWeights.Open(folder);
        return weights.Sha256();
    }

    /// <summary>Every parameter's name and shape.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Shapes(TransformerSpec spec) => ModelLayout.Of(spec).Select(layout => (layout.Name, layout.Shape));

    /// <summary>The number of values that a model has.</summary>
    public static long ParameterCount(TransformerSpec spec) => ModelLayout.Of(spec).Sum(layout => layout.Count);

    private static TransformerModel Build(TransformerSpec spec, Device device, bool trainable, Func<ParameterLayout, int, Tensor> value) => Build(spec, ModelLayout.Of(spec), device, trainable, value);

    /// <summary>A model of other parameters than its family's.</summary>
    /// <param name="value">of a parameter, and its place in the list</param>
    internal static TransformerModel Build(TransformerSpec spec, IReadOnlyList<ParameterLayout> layouts, Device device, bool trainable, Func<ParameterLayout, int, Tensor> value)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var parameters = layouts.Index().ToDictionary(place => place.Item.Name, place =>
        {
            var parameter = HostTensor.Aligned(value(place.Item, place.Index).to(device));
            parameter.requires_grad = trainable;
            return parameter;
        }, StringComparer.Ordinal);
        foreach (var parameter in parameters.Values) parameter.DetachFromDisposeScope();
        return new TransformerModel(spec, parameters, device);
    }

    internal static Tensor Draw(ParameterLayout layout, int place, CounterRandom random)
    {
        var values = new float[layout.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = layout.InitialDeviation is { } deviation ? (float)(deviation * random.Normal(RandomStream.Initialization, i, place)) : 1f;
        return HostTensor.Of(values, layout.Shape);
    }

    private static IEnumerable<string> NamesOf(TransformerSpec spec) => ModelLayout.Of(spec).Select(layout => layout.Name);

    internal static void RequireSameNames(IEnumerable<string> needed, IEnumerable<string> names, string path)
    {
        var wanted = needed.ToHashSet(StringComparer.Ordinal);
        // Some checkpoints carry a table that follows from the configuration.
        var found = names.Where(name => !name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        var missing = wanted.Except(found).Order(StringComparer.Ordinal).ToList();
        var foreign = found.Except(wanted).Order(StringComparer.Ordinal).ToList();
        if (missing.Count + foreign.Count == 0) return;
        throw new ModelException($"'{path}' does not fit its configuration: {missing.Count} tensors are missing ({Some(missing)}), {foreign.Count} are foreign ({Some(foreign)})");

        static string Some(List<string> names) => names.Count == 0 ? "none" : string.Join(", ", names.Take(3)) + (names.Count > 3 ? ", ..." : "");
    }

    private static Tensor Shaped(SafetensorsFile file, string name, long[] shape, string path)
    {
        var tensor = file.Read(name);
        RequireShape(tensor.shape, name, shape, path);
        return tensor;
    }

    internal static void RequireShape(IReadOnlyList<long> found, string name, long[] needed, string path)
    {
        if (!found.SequenceEqual(needed)) throw new ModelException($"'{path}': {name} is [{string.Join(", ", found)}], its configuration needs [{string.Join(", ", needed)}]");
    }
}
