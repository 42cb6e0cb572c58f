using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Models;
using static Lateral.Tests.Diffusion.DecodingModels;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>D2F against full forwards under its mask, call by call, and its pipeline against a course that was computed by hand.</summary>
public sealed class PipelinedDecoderTests : IDisposable
{
    private const int Block = 4, Gen = 12;

    private static readonly long[] Prompt = [3, 1, 4];

    // Thresholds under which blocks overlap, are sure of some tokens and wait for others.
    private static readonly PipelinedSettings Overlapping = new(Gen, Block) { BlockAdd = .25, Decoded = .5, Threshold = .45 };

    private readonly TransformerModel _model = Fresh();

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(.3)]
    [InlineData(.5)]
    [InlineData(1)]
    public void Blocks_one_after_the_other_must_equal_plain_decoding_call_by_call(double threshold)
    {
        var draws = new RecordingDraws();
        var settings = new PipelinedSettings(Gen, Block) { BlockAdd = 1, Decoded = 1, Threshold = threshold };
        var (output, seen) = Run(report => PipelinedDecoder.Decode(_model, Ids(Prompt), settings, report, draws));

        var (canvas, calls) = Plain(threshold);
        Assert.Equal(canvas, output[0]);
        Assert.Equal(calls.Count, seen.Count);
        for (var call = 0; call < calls.Count; call++)
        {
            var (ids, begin, logits) = calls[call];
            // A block's first forward also computes the block before it, which it caches; the others compute the block alone.
            var first = call == 0 || calls[call - 1].Begin != begin;
            var from = begin == Prompt.Length ? first ? 0 : begin : first ? begin - Block : begin;
            Assert.Equal(ids[from..], seen[call][0]);
            Assert.Equal(Block, draws.Logits[call].Length);
            Assert.All(logits.Zip(draws.Logits[call]), pair => Near(pair.First, pair.Second));
        }
    }

    [Fact]
    public void Cached_blocks_must_answer_as_if_everything_was_computed_again()
    {
        RecordingDraws cachedDraws = new(), allDraws = new();
        var (cached, windows) = Run(report => PipelinedDecoder.Decode(_model, Ids(Prompt), Overlapping, report, cachedDraws));
        var (all, canvases) = Run(report => PipelinedDecoder.Decode(_model, Ids(Prompt), Overlapping with { Cached = false }, report, allDraws));
        Assert.Equal(all, cached);
        Assert.Equal(canvases.Count, windows.Count);
        for (var call = 0; call < canvases.Count; call++)
        {
            Assert.Equal(canvases[call][0][^windows[call][0].Length..], windows[call][0]);
            Assert.Equal(allDraws.Logits[call].Length, cachedDraws.Logits[call].Length);
            Assert.All(allDraws.Logits[call].Zip(cachedDraws.Logits[call]), pair => Near(pair.First, pair.Second));
        }

        // Several blocks at once, and a cache that spares something.
        Assert.Contains(cachedDraws.Logits, scored => scored.Length > Block);
        Assert.True(windows.Sum(window => window[0].Length) < canvases.Sum(canvas => canvas[0].Length));
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    [InlineData(3UL)]
    public void Position_must_be_committed_exactly_once(ulong seed)
    {
        var settings = Overlapping with { Cached = false, Temperature = 1, Seed = seed };
        var (output, seen) = Run(report => PipelinedDecoder.Decode(_model, Ids(Prompt), settings, report));
        // Without a cache every forward sees the canvas from its begin; blocks that are not there yet are masks.
        var states = seen.Select(state => (long[])[.. state[0], .. Enumerable.Repeat((long)Mask, output[0].Length - state[0].Length)]).Append(output[0]).ToList();
        var commits = new int[output[0].Length];
        foreach (var (before, after) in states.Zip(states.Skip(1)))
        {
            for (var i = 0; i < commits.Length; i++) commits[i] += before[i] != after[i] ? 1 : 0;
        }

        Assert.Equal([.. Prompt.Select(_ => 0), .. Enumerable.Repeat(1, Gen)], commits);
        Assert.Equal(Prompt, output[0][..Prompt.Length]);
        Assert.DoesNotContain(Mask, output[0]);
    }

    /// <summary>Nothing is surer than 1: a block reveals one token a step once the one before it is decoded to three quarters, and none before; the next is added at a half.</summary>
    [Fact]
    public void Active_blocks_must_follow_the_thresholds()
    {
        var draws = new RecordingDraws();
        var (_, seen) = Run(report => PipelinedDecoder.Decode(_model, Ids(Prompt), new PipelinedSettings(Gen, Block) { BlockAdd = .5, Decoded = .75, Threshold = 1 }, report, draws));
        // Masks of the blocks before each step: 4 | 3 | 2 4 | 1 4 | 0 3 | 0 2 4 | 0 1 4 | 0 0 3 | 0 0 2 | 0 0 1.
        Assert.Equal([4, 4, 8, 8, 4, 8, 8, 4, 4, 4], draws.Logits.Select(scored => scored.Length));
        // The prompt enters the cache at the first, the first block at the fifth, the second at the eighth step.
        Assert.Equal([7, 4, 8, 8, 8, 8, 8, 8, 4, 4], seen.Select(window => window[0].Length));
        Assert.Equal([4, 3, 6, 5, 3, 6, 5, 3, 2, 1], seen.Select(window => window[0].Count(id => id == Mask)));
    }

    [Fact]
    public void Pipeline_must_add_blocks_and_hurry_them_by_what_is_decoded()
    {
        var pipeline = new BlockPipeline(new(12, 4) { BlockAdd = .5, Decoded = .75 });
        Step(1, 0, [1], 3);
        // A quarter is decoded: no second block.
        Step(1, 0, [1], 2);
        // Half is: it comes, and may wait, but is sure of two tokens.
        Step(2, 0, [1, 0], 1, 2);
        // Three quarters of the first are: the second may not wait any more. Half of it is decoded: the third comes, may wait, and is sure of all.
        Step(3, 0, [1, 1, 0], 0, 1, 0);
        // It stays active, since what it sees may still change.
        Assert.Equal((1, 2), (pipeline.Complete, pipeline.Active));
        Step(3, 1, [1, 1], 0, 0);
        Assert.Equal((3, 0), (pipeline.Complete, pipeline.Active));
        Assert.False(pipeline.Grow());

        void Step(int added, int complete, long[] least, params long[] left)
        {
            Assert.True(pipeline.Grow());
            Assert.Equal((added, complete), (pipeline.Added, pipeline.Complete));
            Assert.Equal(least, pipeline.Least());
            pipeline.Observe(left, stopped: false);
        }
    }

    [Fact]
    public void Stop_token_must_end_the_adding_of_blocks_and_no_block_that_is_there()
    {
        var pipeline = new BlockPipeline(new(12, 4) { BlockAdd = 0 });
        pipeline.Grow();
        pipeline.Observe([3], stopped: false);
        pipeline.Grow();
        pipeline.Observe([2, 3], stopped: true);
        Assert.True(pipeline.Grow());
        Assert.Equal(2, pipeline.Added);
        pipeline.Observe([0, 0], stopped: false);
        Assert.False(pipeline.Grow());

        // The same through the decoder: what the first block says stops the second, which is never begun.
        var settings = new PipelinedSettings(Gen, Block) { BlockAdd = 1 };
        var (output, _) = Run(report => PipelinedDecoder.Decode(_model, Ids(Prompt), settings, report));
        var (stopped, _) = Run(report => PipelinedDecoder.Decode(_model, Ids(Prompt), settings with { StopToken = (int)output[0][Prompt.Length + 1] }, report));
        var kept = Prompt.Length + Block;
        Assert.Equal([.. output[0][..kept], .. Enumerable.Repeat((long)Mask, Gen - Block)], stopped[0]);
    }

    [Fact]
    public void Settings_and_models_that_do_not_fit_must_be_refused()
    {
        using var scope = NewDisposeScope();
        Refused(new(10, 4), "gen-length 10 must be a positive multiple of block-length 4");
        Refused(new(8, 4) { BlockAdd = 1.1 }, "block-add 1.1");
        Refused(new(8, 4) { Decoded = -.1 }, "decoded -0.1");
        Refused(new(8, 4) { Threshold = double.NaN }, "threshold NaN");
        Refused(new(8, 4) { TopP = 0 }, "top-p 0");
        Refused(new(8, 4) { Temperature = -1 }, "temperature -1");
        using var shifted = Fresh(change: spec => spec with { Shifted = true });
        using var blockwise = Fresh(change: spec => spec with { AttentionBlock = 4 });
        Assert.Contains("answers in place", Assert.Throws<DecodingException>(() => PipelinedDecoder.Decode(shifted, Ids(Prompt), new(8, 4))).Message, StringComparison.Ordinal);
        Assert.Contains("blocks of 4 from the canvas's begin", Assert.Throws<DecodingException>(() => PipelinedDecoder.Decode(blockwise, Ids(Prompt), new(8, 4))).Message, StringComparison.Ordinal);
        Assert.Contains("one prompt at a time, got 2", Assert.Throws<DecodingException>(() => PipelinedDecoder.Decode(_model, Ids(Prompt, Prompt), new(8, 4))).Message, StringComparison.Ordinal);

        void Refused(PipelinedSettings settings, string rule) =>
            Assert.Contains(rule, Assert.Throws<DecodingException>(() => PipelinedDecoder.Decode(_model, Ids(Prompt), settings)).Message, StringComparison.Ordinal);
    }

    /// <summary>Block by block with a full forward of all that is there for every step: of each, the ids, the block's begin and the logits of its positions.</summary>
    private (long[] Canvas, List<(long[] Ids, int Begin, float[][] Logits)> Calls) Plain(double threshold)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var calls = new List<(long[] Ids, int Begin, float[][] Logits)>();
        long[] canvas = [.. Prompt];
        while (canvas.Length < Prompt.Length + Gen)
        {
            var begin = canvas.Length;
            canvas = [.. canvas, .. Enumerable.Repeat((long)Mask, Block)];
            while (canvas[begin..].Contains(Mask))
            {
                var logits = Logits(canvas, begin);
                calls.Add(([.. canvas], begin, logits));
                var candidates = Enumerable.Range(0, Block).Where(i => canvas[begin + i] == Mask).Select(i => (Position: begin + i, Best: Best(logits[i]))).OrderByDescending(one => one.Best.Probability).ToList();
                foreach (var (position, best) in candidates.Where((one, rank) => rank == 0 || one.Best.Probability > threshold).ToList()) canvas[position] = best.Token;
            }
        }

        return (canvas, calls);
    }

    private float[][] Logits(long[] canvas, int begin)
    {
        var (l, number) = (canvas.Length, new Func<int, int>(i => i < Prompt.Length ? 0 : 1 + ((i - Prompt.Length) / Block)));
        var visible = tensor(Enumerable.Range(0, l * l).Select(pair => number(pair / l) >= number(pair % l)).ToArray(), 1, l, l);
        var layout = new BlockCausalLayout(tensor(Enumerable.Range(0, l).Select(i => (long)i).ToArray(), 1, l), visible, l);
        var rows_K = tensor(Enumerable.Range(begin, l - begin).Select(i => (long)i).ToArray());
        var logits_KV = _model.TokenLogits(_model.HiddenRows(Ids(canvas), rows_K, layout));
        return [.. logits_KV.data<float>().ToArray().Chunk(Mask + 1)];
    }

    /// <summary>The mask token's own logit is only ever very low.</summary>
    private static void Near(float[] expected, float[] found)
    {
        Assert.Equal(Mask + 1, found.Length);
        for (var token = 0; token < Mask; token++) Assert.Equal(expected[token], found[token], 1e-5f);
        Assert.True(found[Mask] < -1e20f);
    }
}
