using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Models;
using static Lateral.Tests.Diffusion.DecodingModels;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Masks between given tokens. In texts, digits are tokens and underscores masks.</summary>
public sealed class InfillingTests : IDisposable
{
    private readonly TransformerModel _model = Fresh();

    public void Dispose() => _model.Dispose();

    private static readonly Dictionary<string, Func<TransformerModel, Tensor, Action<Tensor>?, Tensor>> Fills = new(StringComparer.Ordinal)
    {
        ["shares"] = (model, canvas, seen) => SemiAutoregressiveDecoder.Fill(model, canvas, null, Shares(4, 12), seen),
        ["threshold"] = (model, canvas, seen) => SemiAutoregressiveDecoder.Fill(model, canvas, null, Shares(4, 12) with { Rule = new ConfidenceThreshold(.5) }, seen),
        ["prefix"] = (model, canvas, seen) => SemiAutoregressiveDecoder.Fill(model, canvas, null, Shares(4, 12) with { Cache = DecodingCache.Prefix }, seen),
        ["dual"] = (model, canvas, seen) => SemiAutoregressiveDecoder.Fill(model, canvas, null, Shares(4, 12) with { Cache = DecodingCache.Dual }, seen),
        ["dream"] = (model, canvas, seen) => DreamDecoder.Fill(model, canvas, null, new(1, 5, DreamAlgorithm.Entropy), seen),
        ["dream-origin"] = (model, canvas, seen) => DreamDecoder.Fill(model, canvas, null, new(1, 5, DreamAlgorithm.Origin) { Temperature = 1 }, seen),
        ["dream-dual"] = (model, canvas, seen) => DreamDecoder.Fill(model, canvas, null, new(1, 12, DreamAlgorithm.Entropy) { Cache = DecodingCache.Dual, BlockLength = 4 }, seen),
        ["revising"] = (model, canvas, seen) => RevisingDecoder.Fill(model, canvas, new(1, 12, .1, .99), seen),
    };

    public static TheoryData<string> Decoders => new(Fills.Keys);

    /// <summary>A suffix; holes; a block that is given; a short last block; two canvases with their holes at different places.</summary>
    [Theory]
    [InlineData(3, 6, "314______27")]
    [InlineData(3, 6, "3__5___1_2")]
    [InlineData(2, 6, "3__55__8")]
    [InlineData(5, 4, "31_______42")]
    [InlineData(3, 6, "3__5___1_2", "41___625_2")]
    public void Filling_must_equal_full_forwards_block_by_block(int block, int steps, params string[] texts)
    {
        var canvas = texts.Select(Parse).ToArray();
        var (output, seen) = Run(report => SemiAutoregressiveDecoder.Fill(_model, Ids(canvas), null, Shares(block, steps), report));
        var (expected, calls) = Reference(canvas, block, steps);
        Same(calls, seen);
        Assert.Equal(expected, output);
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void Given_tokens_must_stay_and_masks_must_not(string decoder)
    {
        using var model = Fresh(change: spec => spec with { Shifted = decoder.StartsWith("dream", StringComparison.Ordinal) });
        long[] canvas = Parse("314____6__2____27");
        var (output, seen) = Run(report => Fills[decoder](model, Ids(canvas), report));
        foreach (var state in seen.Select(call => call[0]).Where(state => state.Length >= canvas.Length).Append(output[0]))
            Assert.All(canvas.Index().Where(one => one.Item != Mask), one => Assert.Equal(one.Item, state[one.Index]));
        Assert.DoesNotContain(Mask, output[0]);
        Assert.Equal(canvas.Length, output[0].Length);
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void Masks_behind_a_prompt_must_be_a_completion(string decoder)
    {
        using var model = Fresh(change: spec => spec with { Shifted = decoder.StartsWith("dream", StringComparison.Ordinal) });
        var filled = Run(report => Fills[decoder](model, Ids(Parse("314____________")), report));
        var prompt = Parse("314");
        var completed = Run(report => decoder switch
        {
            "shares" => SemiAutoregressiveDecoder.Decode(model, Ids(prompt), null, Shares(4, 12) with { GenLength = 12 }, report),
            "threshold" => SemiAutoregressiveDecoder.Decode(model, Ids(prompt), null, Shares(4, 12) with { GenLength = 12, Rule = new ConfidenceThreshold(.5) }, report),
            "prefix" => SemiAutoregressiveDecoder.Decode(model, Ids(prompt), null, Shares(4, 12) with { GenLength = 12, Cache = DecodingCache.Prefix }, report),
            "dual" => SemiAutoregressiveDecoder.Decode(model, Ids(prompt), null, Shares(4, 12) with { GenLength = 12, Cache = DecodingCache.Dual }, report),
            "dream" => DreamDecoder.Decode(model, Ids(prompt), null, new(12, 5, DreamAlgorithm.Entropy), report),
            "dream-origin" => DreamDecoder.Decode(model, Ids(prompt), null, new(12, 5, DreamAlgorithm.Origin) { Temperature = 1 }, report),
            "dream-dual" => DreamDecoder.Decode(model, Ids(prompt), null, new(12, 12, DreamAlgorithm.Entropy) { Cache = DecodingCache.Dual, BlockLength = 4 }, report),
            _ => RevisingDecoder.Decode(model, Ids(prompt), new(12, 12, .1, .99), report),
        });
        Same(completed.Seen, filled.Seen);
        Assert.Equal(completed.Output, filled.Output);
    }

    [Fact]
    public void Suffix_must_be_seen()
    {
        Assert.True(Difference("31____27", "31____29") > 1e-3);
        Assert.Equal(0, Difference("31____27", "31____27"));

        double Difference(string one, string other) => First(one).Zip(First(other)).Max(pair => Math.Abs(pair.First - pair.Second));

        float[] First(string text)
        {
            var draws = new RecordingDraws();
            Run(report => SemiAutoregressiveDecoder.Fill(_model, Ids(Parse(text)), null, Shares(4, 4), report, draws));
            return [.. draws.Logits[0].SelectMany(row => row[..Mask])];
        }
    }

    [Fact]
    public void Padding_must_be_no_token_that_is_given()
    {
        using var scope = NewDisposeScope();
        var padded = SemiAutoregressiveDecoder.Fill(_model, Ids(Parse("9931____27")), Ids([0, 0, 1, 1, 1, 1, 1, 1, 1, 1]), Shares(4, 4));
        var alone = SemiAutoregressiveDecoder.Fill(_model, Ids(Parse("31____27")), null, Shares(4, 4));
        Assert.Equal(Rows(alone)[0], Rows(padded)[0][2..]);
    }

    [Fact]
    public void Guidance_must_compare_with_nothing_given()
    {
        var (_, seen) = Run(report => SemiAutoregressiveDecoder.Fill(_model, Ids(Parse("31_5__27")), null, Shares(4, 4) with { GuidanceScale = 1 }, report));
        Assert.Equal(4, seen.Count);
        foreach (var both in seen)
        {
            Assert.Equal(2, both.Length);
            Assert.Equal([Mask, Mask, both[0][2], Mask, both[0][4], both[0][5], Mask, Mask], both[1]);
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1e9, 6)]
    public void Answer_behind_given_words_must_decide_when_to_commit(double gap, int calls)
    {
        var settings = Shares(6, 6) with { EarlyCommit = new(7, 1) { Early = gap, Middle = gap, Late = gap } };
        var (output, seen) = Run(report => SemiAutoregressiveDecoder.Fill(_model, Ids(Parse("31____5_8")), null, settings, report));
        Assert.Equal(calls, seen.Count);
        Assert.DoesNotContain(Mask, output[0]);
        Assert.Equal([3L, 1, 5, 8], new[] { 0, 1, 6, 8 }.Select(i => output[0][i]));
        // The answer's place has to lie where masks are.
        Assert.Contains("positions 8 to 8", Refusal(() => SemiAutoregressiveDecoder.Fill(_model, Ids(Parse("31____5_8")), null, Shares(6, 6) with { EarlyCommit = new(8, 1) })), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_filled_must_be_refused()
    {
        using var blockwise = Fresh(change: spec => spec with { AttentionBlock = 4 });
        using var causal = Fresh(change: spec => spec with { Causal = true });
        foreach (var fill in Fills.Values)
        {
            Assert.Contains("does not see what stands behind a block of 4 tokens", Refusal(() => fill(blockwise, Ids(Parse("31__2")), null)), StringComparison.Ordinal);
            Assert.Contains("does not see what stands behind a token", Refusal(() => fill(causal, Ids(Parse("31__2")), null)), StringComparison.Ordinal);
            Assert.Contains("no mask (token 11)", Refusal(() => fill(_model, Ids(Parse("312")), null)), StringComparison.Ordinal);
        }

        Assert.Contains("steps 5 must be a positive multiple of the 2 blocks of 3", Refusal(() => SemiAutoregressiveDecoder.Fill(_model, Ids(Parse("31____2")), null, Shares(3, 5))), StringComparison.Ordinal);
        Assert.Contains("block-length 0", Refusal(() => SemiAutoregressiveDecoder.Fill(_model, Ids(Parse("31____2")), null, Shares(0, 5))), StringComparison.Ordinal);
        using var scope = NewDisposeScope();
        Assert.Throws<ModelException>(() => SemiAutoregressiveDecoder.Fill(_model, Ids([.. Enumerable.Repeat((long)Mask, 2049)]), null, Shares(3, 5)));
    }

    private static string Refusal(Action fill)
    {
        using var scope = NewDisposeScope();
        return Assert.Throws<DecodingException>(fill).Message;
    }

    private static SemiAutoregressiveSettings Shares(int block, int steps) => new(1, block, steps);

    private static long[] Parse(string text) => [.. text.Select(c => c == '_' ? Mask : (long)(c - '0'))];

    /// <summary>Greedy, the surest first, by a full forward for every step.</summary>
    private (long[][] Output, List<long[][]> Seen) Reference(long[][] canvas, int block, int steps)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        long[][] x = [.. canvas.Select(row => (long[])row.Clone())];
        var (begin, end) = (x.Min(row => Array.IndexOf(row, Mask)), x.Max(row => Array.LastIndexOf(row, Mask)) + 1);
        var (perBlock, seen) = (steps / ((end - begin + block - 1) / block), new List<long[][]>());
        for (; begin < end; begin += block)
        {
            int[][] open = [.. x.Select(row => Enumerable.Range(begin, Math.Min(block, end - begin)).Where(i => row[i] == Mask).ToArray())];
            for (var step = 0; step < perBlock && open.Any(positions => positions.Length > 0); step++)
            {
                seen.Add([.. x.Select(row => (long[])row.Clone())]);
                var logits = _model.TokenLogits(_model.Hidden(Ids(x)).view(-1, 16)).data<float>().ToArray().Chunk(Mask + 1).Chunk(x[0].Length).ToArray();
                for (var row = 0; row < x.Length; row++)
                {
                    var quota = (open[row].Length / perBlock) + (step < open[row].Length % perBlock ? 1 : 0);
                    foreach (var i in open[row].Where(i => x[row][i] == Mask).OrderByDescending(i => Best(logits[row][i]).Probability).Take(quota).ToList()) x[row][i] = Best(logits[row][i]).Token;
                }
            }
        }

        return (x, seen);
    }
}
