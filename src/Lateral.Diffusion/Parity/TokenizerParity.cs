using System.Text.Json;
using Lateral.Diffusion.Tokens;

namespace Lateral.Diffusion.Parity;

/// <summary>Texts and their ids: files <c>*-cases</c> that name a tokenizer file beside them.</summary>
internal static class TokenizerParity
{
    public static IEnumerable<ParityResult> Run(ParityFolder folder, string name)
    {
        var fixture = folder.Required(name);
        var (cases, title) = (fixture.List("cases").ToList(), $"{folder.Name}/{name}");
        if (fixture.Text("tokenizer") is not { } tokenizerFile) return [ParityResult.NotThere($"{title} {cases.Count} texts", "its vocabulary is published apart from it, and no tokenizer file is named")];
        var tokenizer = TokenizerJson.Read(Path.Combine(folder.Path, Path.GetFileName(tokenizerFile)), maskId: 0, endId: null);
        var different = cases.Where(one => !one.Of("ids").Ints().SequenceEqual(tokenizer.Encode(one.Text("text") ?? throw new JsonException("a case has no text")))).ToList();
        return [ParityResult.Equal($"{title} {cases.Count} texts", different.Count, different.Count == 0 ? "" : $"\"{different[0].Text("text")}\" is tokenized otherwise")];
    }
}
