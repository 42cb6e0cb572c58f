using System.Text.Json;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tokens;

namespace Lateral.Node.Composition;

/// <summary>What ends an answer of a published model: the end of a turn, as chat models are trained, and the end of the text.</summary>
internal static class EndTokens
{
    private const string GenerationFile = "generation_config.json";

    // The turn's end of the families that are read: LLaDA, ChatML (Dream, SDAR), LLaDA-MoE and LLaDA2.
    private static readonly string[] TurnEnds = ["<|eot_id|>", "<|im_end|>", "<|role_end|>"];

    /// <exception cref="UserException">generation_config.json is there and is none</exception>
    public static IReadOnlyList<int> In(string folder, TransformerSpec spec, BytePairTokenizer tokenizer) =>
        [.. TurnEnds.Select(tokenizer.IdOf).Append(spec.EosToken).Concat(Published(Path.Combine(folder, GenerationFile))).OfType<int>().Distinct()];

    private static IEnumerable<int?> Published(string path)
    {
        if (!File.Exists(path)) return [];
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new JsonException("it is no object");
            if (!document.RootElement.TryGetProperty("eos_token_id", out var ends)) return [];
            return ends.ValueKind == JsonValueKind.Array ? [.. ends.EnumerateArray().Select(Id)] : [Id(ends)];
        }
        catch (JsonException mistake)
        {
            throw new UserException(ExitCode.Usage, $"{path} is no generation configuration: {mistake.Message}", mistake);
        }
    }

    private static int? Id(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) ? id : null;
}
