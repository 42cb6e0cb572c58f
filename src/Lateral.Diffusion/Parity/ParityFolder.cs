using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>A folder with what a reference implementation computes, in files <c>case-*</c>, <c>gen-*</c>, <c>traj-*</c>, and most often the small checkpoint that it computed it with.</summary>
/// <param name="name">what titles of cases begin with</param>
internal sealed class ParityFolder(string path, string name) : IDisposable
{
    private readonly Dictionary<string, JsonDocument> _documents = new(StringComparer.Ordinal);
    private ModelChoices? _choices;

    public string Path => path;

    public string Name => name;

    public bool Has(string file) => File.Exists(System.IO.Path.Combine(path, file));

    /// <summary>A case's JSON, without its extension; null = it has none.</summary>
    /// <exception cref="JsonException">it has a broken one</exception>
    public JsonElement? Json(string name)
    {
        if (_documents.TryGetValue(name, out var document)) return document.RootElement;
        if (!Has($"{name}.json")) return null;
        _documents.Add(name, document = JsonDocument.Parse(File.ReadAllBytes(System.IO.Path.Combine(path, $"{name}.json"))));
        return document.RootElement;
    }

    /// <exception cref="JsonException">there is none, or it is broken</exception>
    public JsonElement Required(string name) => Json(name) ?? throw new JsonException($"{name}.json is missing");

    public SafetensorsFile Tensors(string name) => SafetensorsFile.Open(System.IO.Path.Combine(path, $"{name}.safetensors"));

    /// <param name="attentionBlock">of a block-causal model, instead of the one its configuration or its forward case has</param>
    public TransformerModel Load(bool trainable = false, int? attentionBlock = null)
    {
        _choices ??= new(MaskToken(), AttentionBlock());
        var blockwise = ModelStore.ReadSpec(path, _choices).AttentionBlock is not null;
        return ModelStore.Load(path, trainable: trainable, choices: attentionBlock is not null && blockwise ? _choices with { AttentionBlock = attentionBlock } : _choices);
    }

    public void Dispose()
    {
        foreach (var document in _documents.Values) document.Dispose();
    }

    /// <summary>Of models whose configuration does not name it: as decodings and the forward say. Where none does, none needs it, and any token will do.</summary>
    private int MaskToken()
    {
        var names = Directory.EnumerateFiles(path, "gen-*.json").Order(StringComparer.Ordinal).Select(file => System.IO.Path.GetFileNameWithoutExtension(file)!).Append("case-forward");
        return names.Select(Mask).FirstOrDefault(id => id is not null) ?? 0;

        int? Mask(string name)
        {
            try
            {
                return Json(name) is not { } root ? null : (root.Find("mask_id") ?? root.Find("mask_token_id") ?? root.Find("kwargs")?.Find("mask_id"))?.GetInt32();
            }
            catch (JsonException)
            {
                // Its own case says so.
                return null;
            }
        }
    }

    /// <summary>Of models whose configuration does not say what blocks they see: as the recorded mask has it.</summary>
    private int? AttentionBlock()
    {
        if (!Has("case-forward.safetensors")) return null;
        using var scope = NewDisposeScope();
        try
        {
            using var file = Tensors("case-forward");
            return file.Contains("block_causal_mask") ? (int)file.Read("block_causal_mask").to_type(ScalarType.Int64)[0].sum().item<long>() : null;
        }
        catch (SafetensorsException)
        {
            // Its own case says so.
            return null;
        }
    }
}
