using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>A folder with a small checkpoint and what its reference implementation computes: config.json, weights, and files <c>case-*</c> and <c>gen-*</c>.</summary>
internal sealed class ParityFolder : IDisposable
{
    private readonly Dictionary<string, JsonDocument> _documents;

    public ParityFolder(string path)
    {
        Path = path;
        _documents = Directory.EnumerateFiles(path, "*.json").Where(file => System.IO.Path.GetFileName(file) is var name && (name.StartsWith("case-", StringComparison.Ordinal) || name.StartsWith("gen-", StringComparison.Ordinal) || name.StartsWith("traj-", StringComparison.Ordinal)))
            .ToDictionary(file => System.IO.Path.GetFileNameWithoutExtension(file), file => JsonDocument.Parse(File.ReadAllBytes(file)), StringComparer.Ordinal);
        Choices = new(MaskToken, AttentionBlock);
    }

    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>What the checkpoint's configuration leaves open and its cases say.</summary>
    public ModelChoices Choices { get; }

    public IEnumerable<string> Cases(string prefix) => _documents.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    public bool Has(string file) => File.Exists(System.IO.Path.Combine(Path, file));

    public JsonElement? Json(string name) => _documents.TryGetValue(name, out var document) ? document.RootElement : null;

    public SafetensorsFile Tensors(string name) => SafetensorsFile.Open(System.IO.Path.Combine(Path, $"{name}.safetensors"));

    /// <param name="attentionBlock">of a block-causal model, instead of the one its configuration or its forward case has</param>
    public TransformerModel Load(bool trainable = false, int? attentionBlock = null)
    {
        var blockwise = ModelStore.ReadSpec(Path, Choices).AttentionBlock is not null;
        return ModelStore.Load(Path, trainable: trainable, choices: attentionBlock is not null && blockwise ? Choices with { AttentionBlock = attentionBlock } : Choices);
    }

    public void Dispose()
    {
        foreach (var document in _documents.Values) document.Dispose();
    }

    /// <summary>A list of rows of ids.</summary>
    public static long[][] Ids(JsonElement rows) => [.. rows.EnumerateArray().Select(row => row.EnumerateArray().Select(id => id.GetInt64()).ToArray())];

    /// <summary>[B, L] int64 of a list of rows.</summary>
    public static Tensor Rows(JsonElement rows)
    {
        var values = Ids(rows);
        return HostTensor.Of([.. values.SelectMany(row => row)], values.Length, values[0].Length);
    }

    private int? MaskToken => _documents.Values.SelectMany(document => new[] { document.RootElement, document.RootElement.TryGetProperty("kwargs", out var inner) ? inner : default })
        .Where(element => element.ValueKind == JsonValueKind.Object)
        .Select(element => element.TryGetProperty("mask_id", out var id) || element.TryGetProperty("mask_token_id", out id) ? id.GetInt32() : (int?)null).FirstOrDefault(id => id is not null);

    /// <summary>Of models whose configuration does not say what blocks they see: as the recorded mask has it.</summary>
    private int? AttentionBlock
    {
        get
        {
            if (!Has("case-forward.safetensors")) return null;
            using var scope = NewDisposeScope();
            using var file = Tensors("case-forward");
            return file.Contains("block_causal_mask") ? (int)file.Read("block_causal_mask").to_type(ScalarType.Int64)[0].sum().item<long>() : null;
        }
    }
}
