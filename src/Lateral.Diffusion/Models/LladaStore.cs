using Lateral.Core;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>Where LLaDA models come from and go to: drawn fresh from a seed, or a folder with config.json and model.safetensors as released.</summary>
public static class LladaStore
{
    public const string ConfigFile = "config.json";
    public const string WeightsFile = "model.safetensors";

    /// <summary>A fresh model; every value is a function of the seed, its parameter's place in the layout and its index, of nothing else.</summary>
    public static LladaModel Fresh(TransformerSpec spec, ulong seed, Device? device = null, bool trainable = true) =>
        Build(spec.Checked(), device ?? CPU, trainable, (layout, place) => Draw(layout, place, new CounterRandom(seed)));

    /// <summary>Loads a folder of released layout. On the CPU, weights at 64-byte boundaries (all that are written here) stay in the mapped file until they are changed.</summary>
    /// <param name="type">Element type to compute in; null keeps the file's.</param>
    /// <exception cref="ModelException">The configuration asks for other mathematics, or a tensor is missing, foreign or of another shape.</exception>
    /// <exception cref="SafetensorsException">The weights file is not sound.</exception>
    public static LladaModel Load(string folder, Device? device = null, bool trainable = true, ScalarType? type = null)
    {
        var spec = LladaConfig.Read(Path.Combine(folder, ConfigFile));
        var path = Path.Combine(folder, WeightsFile);
        using var file = SafetensorsFile.Open(path);
        RequireSameNames(spec, file, path);
        return Build(spec, device ?? CPU, trainable, (layout, _) => Shaped(file, layout, path) is var tensor && type is { } wanted ? tensor.to_type(wanted) : tensor);
    }

    /// <summary>Reads what a folder of released layout holds and checks that its weights file fits, without touching a weight or libtorch.</summary>
    /// <exception cref="ModelException">The configuration asks for other mathematics, or a tensor is missing, foreign or of another shape.</exception>
    /// <exception cref="SafetensorsException">The weights file is not sound.</exception>
    public static TransformerSpec Inspect(string folder)
    {
        var spec = LladaConfig.Read(Path.Combine(folder, ConfigFile));
        var path = Path.Combine(folder, WeightsFile);
        using var file = SafetensorsFile.Open(path);
        RequireSameNames(spec, file, path);
        var shapes = file.Tensors.ToDictionary(entry => entry.Name, entry => entry.Shape, StringComparer.Ordinal);
        foreach (var layout in LladaLayout.Of(spec)) RequireShape(shapes[layout.Name], layout, path);
        return spec;
    }

    /// <summary>Writes the model durably into an existing folder and returns the SHA-256 of its weights file.</summary>
    public static string Save(LladaModel model, string folder, IReadOnlyDictionary<string, string>? metadata = null)
    {
        DurableFile.WriteText(Path.Combine(folder, ConfigFile), LladaConfig.Format(model.Spec));
        return SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), model.Parameters, new Dictionary<string, string>(metadata ?? new Dictionary<string, string>()) { ["format"] = "pt" });
    }

    /// <summary>Replaces the values of a model's parameters by those of a weights file of the same layout: a policy swap.</summary>
    /// <exception cref="ModelException">A tensor is missing, foreign or of another shape; no parameter has changed then.</exception>
    public static void CopyInto(LladaModel model, SafetensorsFile file, string name)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        RequireSameNames(model.Spec, file, name);
        var values = LladaLayout.Of(model.Spec).Select(layout => (layout.Name, Value: Shaped(file, layout, name))).ToList();
        foreach (var (parameter, value) in values) model.Parameters[parameter].copy_(value);
    }

    /// <summary>The number of values that a model has.</summary>
    public static long ParameterCount(TransformerSpec spec) => LladaLayout.Of(spec).Sum(layout => layout.Count);

    private static LladaModel Build(TransformerSpec spec, Device device, bool trainable, Func<ParameterLayout, int, Tensor> value)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var parameters = LladaLayout.Of(spec).Index().ToDictionary(place => place.Item.Name, place =>
        {
            var parameter = HostTensor.Aligned(value(place.Item, place.Index).to(device));
            parameter.requires_grad = trainable;
            return parameter;
        }, StringComparer.Ordinal);
        foreach (var parameter in parameters.Values) parameter.DetachFromDisposeScope();
        return new LladaModel(spec, parameters, device);
    }

    private static Tensor Draw(ParameterLayout layout, int place, CounterRandom random)
    {
        var values = new float[layout.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = layout.InitialDeviation is { } deviation ? (float)(deviation * random.Normal(RandomStream.Initialization, i, place)) : 1f;
        return HostTensor.Of(values, layout.Shape);
    }

    private static void RequireSameNames(TransformerSpec spec, SafetensorsFile file, string path)
    {
        var wanted = LladaLayout.Of(spec).Select(layout => layout.Name).ToHashSet(StringComparer.Ordinal);
        var found = file.Tensors.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        var missing = wanted.Except(found).Order(StringComparer.Ordinal).ToList();
        var foreign = found.Except(wanted).Order(StringComparer.Ordinal).ToList();
        if (missing.Count + foreign.Count == 0) return;
        throw new ModelException($"'{path}' does not fit its configuration: {missing.Count} tensors are missing ({Some(missing)}), {foreign.Count} are foreign ({Some(foreign)})");

        static string Some(List<string> names) => names.Count == 0 ? "none" : string.Join(", ", names.Take(3)) + (names.Count > 3 ? ", ..." : "");
    }

    private static Tensor Shaped(SafetensorsFile file, ParameterLayout layout, string path)
    {
        var tensor = file.Read(layout.Name);
        RequireShape(tensor.shape, layout, path);
        return tensor;
    }

    private static void RequireShape(IReadOnlyList<long> shape, ParameterLayout layout, string path)
    {
        if (!shape.SequenceEqual(layout.Shape))
            throw new ModelException($"'{path}': {layout.Name} is [{string.Join(", ", shape)}], its configuration needs [{string.Join(", ", layout.Shape)}]");
    }
}
