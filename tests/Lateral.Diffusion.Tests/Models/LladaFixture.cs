using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Reads the parity fixtures of the tiny LLaDA: what the public reference code computes on random weights.</summary>
internal static class LladaFixture
{
    public static string Folder => SharedFolder.Path("fixtures", "llada-tiny");

    public static LladaModel Load(bool trainable = false) => LladaStore.Load(Folder, trainable: trainable);

    public static JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, name + ".json"))).RootElement;

    public static SafetensorsFile Tensors(string name) => SafetensorsFile.Open(Path.Combine(Folder, name + ".safetensors"));

    public static long[][] Rows(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(row => row.EnumerateArray().Select(id => id.GetInt64()).ToArray())];

    public static Tensor ToTensor(this long[][] rows) => tensor(rows.SelectMany(row => row).ToArray(), rows.Length, rows[0].Length);

    public static double LargestDifference(Tensor a, Tensor b) => a.to_type(ScalarType.Float64).sub(b.to_type(ScalarType.Float64)).abs().max().item<double>();
}
