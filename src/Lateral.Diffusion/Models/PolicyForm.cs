namespace Lateral.Diffusion.Models;

/// <summary>How a policy lies in a folder: a whole model, or PEFT's files of an adapter, which need the model that they add to.</summary>
/// <param name="Weights">name of the weights file</param>
/// <param name="Config">name of the configuration beside it, and <paramref name="Text"/> what it says</param>
/// <param name="Metadata">of the weights file; a published policy and a checkpoint have the same, so that one policy has one hash</param>
public sealed record PolicyForm(string Weights, string Config, string Text, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>SHA-256 of the weights that an adapter was trained on.</summary>
    private const string BaseKey = "base_sha256";

    /// <summary>The names of a policy's files.</summary>
    public static (string Weights, string Config) Names(bool adapter) => adapter ? (LoraSettings.WeightsFile, LoraSettings.ConfigFile) : (ModelStore.WeightsFile, ModelStore.ConfigFile);

    public static PolicyForm Of(TransformerModel model)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" };
        if (model.Adapter?.BaseHash is { } hash) metadata[BaseKey] = hash;
        var (weights, config) = Names(model.Adapter is not null);
        return new(weights, config, model.Adapter?.Settings.Format() ?? ModelFamilies.Format(model.Spec), metadata);
    }

    /// <summary>The weights file of a folder that holds a policy; null where there is none.</summary>
    public static string? WeightsIn(string folder) => new[] { false, true }.Select(adapter => Path.Combine(folder, Names(adapter).Weights)).FirstOrDefault(File.Exists);

    /// <exception cref="ModelException">the file's adapter was trained on other weights than these</exception>
    internal static void RequireSameBase(TransformerModel model, IReadOnlyDictionary<string, string> metadata, string path)
    {
        if (model.Adapter?.BaseHash is not { } here || !metadata.TryGetValue(BaseKey, out var there) || here == there) return;
        throw new ModelException($"'{path}' adapts a model whose weights have SHA-256 {there}, and those of model.path have {here} here: every node needs the files that the run began with");
    }
}
