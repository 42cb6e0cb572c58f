using System.Text.Json;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>Decoders against the reference's, call by call: every ids tensor that the model is given, and the output. Files <c>gen-*</c>.</summary>
internal static class GenerationParity
{
    public static IEnumerable<ParityResult> Run(ParityFolder folder, string name)
    {
        using var scope = NewDisposeScope();
        var (fixture, title) = (folder.Required(name), $"{folder.Name}/{name}");
        var settings = Settings(fixture);
        // Block-causal models are decoded in blocks of other sizes, too.
        var block = settings.Find("block_length")?.GetInt32();
        using var model = folder.Load(attentionBlock: block);
        using var decoding = RecordedDecoding.Of(folder, model, name, fixture, settings);
        var seen = new List<long[][]>();
        var output = Ids(decoding.Run(ids => seen.Add(Ids(ids))));
        var expected = fixture.List("model_inputs_per_call").Select(call => call.Rows()).ToList();
        var (canvas, attended) = (expected.Max(call => call[0].Length), fixture.Find("attention_mask")?.Rows());
        bool Asks(long[][] call) => model.Spec.AttentionBlock is not null || call[0].Length == canvas || !IsFull(call, block ?? canvas, model.Spec.MaskToken);
        yield return Compare(title, [.. expected.Where(Asks).Select(call => Attended(call, attended))], [.. seen.Where(Asks).Select(call => Attended(call, attended))], fixture.Of("output").Rows(), output);
    }

    /// <summary>Where a case's parameters stand.</summary>
    public static JsonElement Settings(JsonElement fixture) => fixture.Find("case") ?? fixture.Find("kwargs") ?? fixture;

    private static ParityResult Compare(string title, List<long[][]> expected, List<long[][]> seen, long[][] expectedOutput, long[][] output)
    {
        var different = Enumerable.Range(0, Math.Max(expected.Count, seen.Count)).Where(call => call >= expected.Count || call >= seen.Count || !Same(expected[call], seen[call])).ToList();
        if (different.Count > 0) return ParityResult.Equal(title, different.Count, $"call {different[0]} of {expected.Count} differs ({seen.Count} were made)");
        return ParityResult.Equal(title, Same(expectedOutput, output) ? 0 : 1, "the output differs");
    }

    /// <summary>
    /// Whether a window's forward is about a block without a mask. Fast-dLLM asks at least twice about every block, though the first answer may have filled it; nothing comes of the second then, and we do
    /// not ask. (Of a block-causal model such a forward fills the cache: that one counts.)
    /// </summary>
    private static bool IsFull(long[][] call, int block, int mask) => call.All(row => !row.AsSpan(0, Math.Min(block, row.Length)).Contains(mask));

    /// <summary>A call without what nobody sees: guidance masks the prompt in a second copy of the batch, and with it a reference's padding.</summary>
    private static long[][] Attended(long[][] call, long[][]? attended) =>
        attended is null ? call : [.. call.Select((row, b) => row.Select((id, i) => i < attended[0].Length && attended[b % attended.Length][i] == 0 ? -1 : id).ToArray())];

    private static bool Same(long[][] a, long[][] b) => a.Length == b.Length && a.Zip(b).All(rows => rows.First.AsSpan().SequenceEqual(rows.Second));

    private static long[][] Ids(Tensor ids_BL)
    {
        using var scope = NewDisposeScope();
        var (values, length) = (ids_BL.contiguous().cpu().data<long>().ToArray(), (int)ids_BL.shape[1]);
        return [.. values.Chunk(length)];
    }
}
