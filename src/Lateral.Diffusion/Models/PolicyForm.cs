namespace Lateral.Diffusion.Models;

/// <summary>How a policy lies in a folder: a whole model, or PEFT's files of an adapter, which need the model that they add to.</summary>
/// <param name="Weights">name of the weights file</param>
/// <param name="Config">name of the configuration beside it, and <paramref name="Text"/> what it says</param>
/// <param name="Metadata">of the weights file; a published policy and a checkpoint have the same, so that one policy has one hash</param>
public sealed record PolicyForm(string Weights, string Config, string Text, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>SHA-256 of the weights that an adapter was trained on.</summary>
    private const string BaseKey = "base_sha256";

    /// <summary>The names that weights files of policies have.</summary>
    public static IReadOnlyList<string> WeightsFiles { get; } = [ModelStore.WeightsFile, LoraSettings.WeightsFile];

    public static PolicyForm Of(TransformerModel model)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" };
        if (model.Adapter is not { } adapter) return new(ModelStore.WeightsFile, ModelStore.ConfigFile, ModelFamilies.Format(model.Spec), metadata);
        if (adapter.BaseHash is { } hash) metadata[BaseKey] = hash;
        return new(LoraSettings.WeightsFile, LoraSettings.ConfigFile, adapter.Settings.Format(), metadata);
    }

    /// <summary>The weights file of a folder that holds a policy; null where there is none.</summary>
    public static string? WeightsIn(string folder) => WeightsFiles.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <exception cref="ModelException">the file's adapter was trained on other weights than these</exception>
    internal static void RequireSameBase(TransformerModel model, IReadOnlyDictionary<string, string> metadata, string path)
    {
        if (model.Adapter?.BaseHash is not { } here || !metadata.TryGetValue(BaseKey, out var there) || here == there) return;
        throw new ModelException($"'{path}' adapts a model whose weights have SHA-256 {there}, and those of model.path have {here} here: every node needs the files that the run began with");
    }
}
