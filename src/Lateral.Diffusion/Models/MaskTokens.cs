using System.Text.Json;

namespace Lateral.Diffusion.Models;

/// <summary>The mask token of a model whose config.json does not name it, by the names under which published tokenizers have it.</summary>
internal static class MaskTokens
{
    private static readonly string[] Names = ["<|mask|>", "<|MASK|>", "<|mdm_mask|>", "[MASK]"];

    /// <returns>null where the folder has no tokenizer.json, or that has no such token</returns>
    /// <exception cref="ModelException">tokenizer.json is none</exception>
    public static int? In(string folder)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        if (!File.Exists(path)) return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("added_tokens", out var added) || added.ValueKind != JsonValueKind.Array) return null;
            int? Of(string name) => added.EnumerateArray()
                .Where(token => token.ValueKind == JsonValueKind.Object && token.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String && content.GetString() == name)
                .Select(token => token.TryGetProperty("id", out var id) && id.TryGetInt32(out var number) ? number : (int?)null).FirstOrDefault();
            return Names.Select(Of).FirstOrDefault(id => id is not null);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new ModelException($"'{path}' is no tokenizer: {error.Message}", error);
        }
    }
}
