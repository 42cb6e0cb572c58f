using System.Text.Json;
using Lateral.Diffusion.Tokens;

namespace Lateral.Diffusion.Parity;

/// <summary>Texts and their ids: files <c>*-cases.json</c> that name a tokenizer file beside them.</summary>
internal static class TokenizerParity
{
    public static IEnumerable<ParityResult> Run(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, "*-cases.json").Order(StringComparer.Ordinal))
        {
            using var cases = JsonDocument.Parse(File.ReadAllBytes(path));
            // Cases of a published vocabulary come without it.
            if (!cases.RootElement.TryGetProperty("tokenizer", out var name)) continue;
            var tokenizer = TokenizerJson.Read(Path.Combine(folder, name.GetString()!), maskId: 0, endId: null);
            var different = cases.RootElement.GetProperty("cases").EnumerateArray().Where(one => !one.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).SequenceEqual(tokenizer.Encode(one.GetProperty("text").GetString()!))).ToList();
            yield return new($"{Path.GetFileName(folder)}/{Path.GetFileNameWithoutExtension(path)} {cases.RootElement.GetProperty("cases").GetArrayLength()} texts", different.Count, different.Count == 0 ? "" : $"\"{different[0].GetProperty("text").GetString()}\" is tokenized otherwise");
        }
    }
}
