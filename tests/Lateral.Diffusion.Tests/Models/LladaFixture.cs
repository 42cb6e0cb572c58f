using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Reads the parity fixtures of one tiny model: what the public reference code computes on random weights.</summary>
internal sealed class Fixture(string model)
{
    /// <summary>The reference results that this project has a copy of.</summary>
    public static string Root { get; } = Path.Combine(AppContext.BaseDirectory, "Parity", "Fixtures");

    public string Folder => Path.Combine(Root, model);

    public TransformerModel Load(bool trainable = false, ModelChoices? choices = null) => ModelStore.Load(Folder, trainable: trainable, choices: choices);

    public JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, name + ".json"))).RootElement;

    /// <summary>A file that is too large for the copy is taken from the shared folder.</summary>
    public SafetensorsFile Tensors(string name) => SafetensorsFile.Open(Path.Combine(Folder, name + ".safetensors") is var path && File.Exists(path) ? path : SharedFolder.Path("fixtures", model, name + ".safetensors"));
}

/// <summary>The fixtures of the tiny LLaDA, and how fixtures are read and compared.</summary>
internal static class LladaFixture
{
    private static readonly Fixture Llada = new("llada-tiny");

    public static string Folder => Llada.Folder;

    public static TransformerModel Load(bool trainable = false) => Llada.Load(trainable);

    public static JsonElement Json(string name) => Llada.Json(name);

    public static SafetensorsFile Tensors(string name) => Llada.Tensors(name);

    public static long[][] Rows(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(row => row.EnumerateArray().Select(id => id.GetInt64()).ToArray())];

    public static Tensor ToTensor(this long[][] rows) => tensor(rows.SelectMany(row => row).ToArray(), rows.Length, rows[0].Length);

    public static double LargestDifference(Tensor a, Tensor b) => a.to_type(ScalarType.Float64).sub(b.to_type(ScalarType.Float64)).abs().max().item<double>();
}
