using Lateral.Core;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.RewardModels;

/// <summary>Where reward models come from and go to: fresh from a seed, begun with a published model, or a folder with config.json, weights that have <c>reward_head</c>, and reward_model.json.</summary>
internal static class RewardModelStore
{
    /// <summary>A fresh one; all its rewards are 0.</summary>
    public static RewardModel Fresh(TransformerSpec spec, ulong seed, Device device)
    {
        var random = new CounterRandom(seed);
        return Built(spec.Checked(), device, trainable: true, (layout, place) => ModelStore.Draw(layout, place, random));
    }

    /// <summary>One that begins with a model's weights and no opinion: its head is 0, so all its rewards are.</summary>
    /// <exception cref="ModelException">the folder's files do not fit one another, or ask for mathematics that is not implemented</exception>
    /// <exception cref="SafetensorsException">a weights file is not sound</exception>
    public static RewardModel Of(string baseFolder, Device device)
    {
        var spec = ModelStore.Inspect(baseFolder);
        using var weights = ModelWeights.Open(baseFolder);
        // What the language model predicts words with is left behind, and so is the order in which it reveals them.
        return Built(spec with { UnmaskingPolicy = false }, device, trainable: true, (layout, place) =>
            layout.Name == RewardModel.Head ? ModelStore.Draw(layout, place, new CounterRandom(0)) : weights.Read(layout.Name).to_type(ScalarType.Float32));
    }

    /// <exception cref="ModelException">the folder holds no reward model, or its files do not fit one another</exception>
    /// <exception cref="SafetensorsException">the weights file is not sound</exception>
    public static RewardModel Load(string folder, Device device)
    {
        var info = RewardModelInfo.Read(folder);
        var spec = ModelStore.ReadSpec(folder);
        using var weights = ModelWeights.Open(folder);
        if (weights.Sha256() is var hash && hash != info.WeightsSha256)
            throw new ModelException($"'{weights.Path}' has SHA-256 {hash}, its {RewardModelInfo.File} says {info.WeightsSha256}: the files are of two reward models - fetch or train it again");
        ModelStore.RequireSameNames(Layout(spec).Select(layout => layout.Name), weights.Names, weights.Path);
        return Built(spec, device, trainable: false, (layout, _) =>
        {
            ModelStore.RequireShape(weights.ShapeOf(layout.Name), layout.Name, layout.Shape, weights.Path);
            return weights.Read(layout.Name).to_type(ScalarType.Float32);
        });
    }

    /// <summary>Writes it into an existing folder, file by file durably and what says that it is there last.</summary>
    /// <param name="info">its hash is filled in</param>
    public static void Save(RewardModel model, string folder, RewardModelInfo info)
    {
        DurableFile.WriteText(Path.Combine(folder, ModelStore.ConfigFile), ModelFamilies.Format(model.Spec));
        var hash = SafetensorsWriter.Write(Path.Combine(folder, ModelStore.WeightsFile), model.Parameters, new Dictionary<string, string> { ["format"] = "pt" });
        (info with { WeightsSha256 = hash }).Write(folder);
    }

    /// <summary>The model's own parameters but its head, and the reward's.</summary>
    private static List<ParameterLayout> Layout(TransformerSpec spec)
    {
        var head = ModelFamilies.Of(spec).Head;
        return [.. ModelLayout.Of(spec).Where(layout => layout.Name != head), new(RewardModel.Head, [1, spec.Width], 0)];
    }

    private static RewardModel Built(TransformerSpec spec, Device device, bool trainable, Func<ParameterLayout, int, Tensor> value) =>
        new(ModelStore.Build(spec, Layout(spec), device, trainable, value));
}
