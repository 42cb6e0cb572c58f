using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Models;
using static Lateral.Tests.Diffusion.DecodingModels;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>What cached decoding computes at each step, by hand, and that it is uncached decoding where it computes everything.</summary>
public sealed class DecodingCacheTests : IDisposable
{
    private static readonly long[] Prompt = [3, 1, 4];

    private readonly TransformerModel _model = Fresh();

    public static TheoryData<string> Refreshing => new("delayed", "vicinity", "vicinity-warm");

    public void Dispose() => _model.Dispose();

    [Theory]
    [MemberData(nameof(Refreshing))]
    public void Refresh_at_every_step_must_be_uncached_decoding_call_by_call(string name)
    {
        DecodingCache cache = name switch { "delayed" => new DelayedCache(1), "vicinity" => new VicinityCache(1, 1, 0, RefreshEvery: 1), _ => new VicinityCache(1, 1, WarmUp: 100) };
        foreach (var settings in (SemiAutoregressiveSettings[])[new(12, 4, 12), new(12, 6, 8) { Temperature = 1, Seed = 2 }, new(12, 4, 3) { Rule = new ConfidenceThreshold(.5) }, new(8, 8, 8) { Random = true }])
        {
            var everything = Run(report => SemiAutoregressiveDecoder.Decode(_model, Ids(Prompt, [2, 7, 1]), null, settings, report));
            var cached = Run(report => SemiAutoregressiveDecoder.Decode(_model, Ids(Prompt, [2, 7, 1]), null, settings with { Cache = cache }, report));
            Same(everything.Seen, cached.Seen);
            Assert.Equal(everything.Output, cached.Output);
        }
    }

    /// <summary>Two blocks of four behind three tokens, revealed from left to right: position 3 at step 0, 4 at step 1, and so on.</summary>
    [Theory]
    [InlineData(9, "0-10 0-10 4-10 5-10 0-10 0-10 8-10 9-10")]
    [InlineData(3, "0-10 0-10 4-10 0-10 0-10 0-10 8-10 0-10")]
    [InlineData(2, "0-10 0-10 0-10 5-10 0-10 0-10 0-10 9-10")]
    public void Delayed_cache_must_compute_what_was_masked_a_step_before(int refreshEvery, string computed)
    {
        var settings = new SemiAutoregressiveSettings(8, 4, 8) { Random = true, Cache = new DelayedCache(refreshEvery) };
        var (output, seen) = Run(report => SemiAutoregressiveDecoder.Decode(_model, Ids(Prompt), null, settings, report, new LeftToRight()));
        var expected = computed.Split(' ').Select((range, step) =>
        {
            var ends = range.Split('-').Select(int.Parse).ToArray();
            // What is revealed before the step is what the output has there.
            return Enumerable.Range(ends[0], ends[1] - ends[0] + 1).Select(i => i < Prompt.Length + step ? output[0][i] : Mask).ToArray();
        }).ToList();
        Assert.Equal(expected, seen.Select(call => call[0]));
    }

    /// <summary>A step after it was decoded a token is computed once more, so canvases of one batch compute different positions.</summary>
    [Fact]
    public void Delayed_cache_must_follow_each_canvas_of_a_batch()
    {
        var settings = new SemiAutoregressiveSettings(6, 6, 6) { Cache = new DelayedCache(9) };
        var together = Run(report => SemiAutoregressiveDecoder.Decode(_model, Ids(Prompt, [2, 7, 1]), null, settings, report));
        var one = Run(report => SemiAutoregressiveDecoder.Decode(_model, Ids(Prompt), null, settings, report));
        var other = Run(report => SemiAutoregressiveDecoder.Decode(_model, Ids([2, 7, 1]), null, settings, report));
        Assert.Equal([9, 9, 5, 4, 3, 2], together.Seen.Select(call => call[0].Length));
        Assert.Equal([one.Output[0], other.Output[0]], together.Output);
        Assert.Equal(one.Seen.Zip(other.Seen, (a, b) => (long[][])[a[0], b[0]]), together.Seen);
    }

    /// <summary>Three blocks of four behind three tokens, four steps each: 15 positions, of which a step computes the block, two before it and one behind it.</summary>
    [Theory]
    [InlineData(2, null, "0-15 0-15 1-8 1-8 0-15 5-12 5-12 5-12 0-15 9-15 9-15 9-15")]
    [InlineData(0, null, "0-15 1-8 1-8 1-8 0-15 5-12 5-12 5-12 0-15 9-15 9-15 9-15")]
    [InlineData(0, 3, "0-15 1-8 1-8 0-15 0-15 5-12 0-15 5-12 0-15 0-15 9-15 9-15")]
    public void Vicinity_must_be_computed_around_the_block(int warmUp, int? refreshEvery, string computed)
    {
        var settings = new SemiAutoregressiveSettings(12, 4, 12) { Cache = new VicinityCache(2, 1, warmUp, refreshEvery) };
        var (output, seen) = Run(report => SemiAutoregressiveDecoder.Decode(_model, Ids(Prompt), null, settings, report));
        Assert.Equal(12, seen.Count);
        foreach (var (range, ids) in computed.Split(' ').Zip(seen.Select(call => call[0])))
        {
            var ends = range.Split('-').Select(int.Parse).ToArray();
            Assert.Equal(ends[1] - ends[0], ids.Length);
            Assert.All(ids.Index().Where(one => one.Item != Mask), one => Assert.Equal(output[0][ends[0] + one.Index], one.Item));
        }
    }

    /// <summary>Where nothing has changed since everything was cached, some positions of two canvases answer as they did; with other tokens shown they and they alone change what is cached.</summary>
    [Fact]
    public void Positions_that_are_computed_again_must_see_the_cached_ones()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var cache = new KeyValueCache();
        var ids_BL = Ids([3, 1, 4, 1, 5, 9], [2, 6, Mask, 3, Mask, 8]);
        var full_BLD = _model.HiddenWindow(ids_BL, cache, 0, store: true).view(2, 6, -1);
        var at_BW = Ids([0, 2, 5], [1, 2, 4]);
        var again_BWD = _model.HiddenAt(ids_BL.gather(1, at_BW), at_BW, cache).view(2, 3, -1);
        Assert.InRange(LladaFixture.LargestDifference(full_BLD.gather(1, at_BW.unsqueeze(2).expand(2, 3, 16)), again_BWD), 0, 1e-5);
        Assert.InRange(LladaFixture.LargestDifference(full_BLD, _model.HiddenWindow(ids_BL, cache, 0, store: false).view(2, 6, -1)), 0, 1e-5);

        // One position of each canvas shows another token: the first layer's keys change there and nowhere else, and are those of a full forward.
        var before_BTA = cache.Of(0).Keys_BTA.clone();
        var (other_BL, one_B1) = (Ids([3, 1, 7, 1, 5, 9], [2, 6, Mask, 3, 0, 8]), Ids([2], [4]));
        _model.HiddenAt(other_BL.gather(1, one_B1), one_B1, cache);
        var changed_BT = cache.Of(0).Keys_BTA.sub(before_BTA).abs().amax([2]).gt(1e-4f);
        Assert.Equal([false, false, true, false, false, false, false, false, false, false, true, false], changed_BT.view(-1).data<bool>().ToArray());
        using var fresh = new KeyValueCache();
        _model.HiddenWindow(other_BL, fresh, 0, store: true);
        Assert.InRange(LladaFixture.LargestDifference(fresh.Of(0).Keys_BTA, cache.Of(0).Keys_BTA), 0, 1e-5);
    }

    [Fact]
    public void Settings_that_do_not_fit_must_be_refused()
    {
        Refused(new DelayedCache(0), "every 0 steps");
        Refused(new VicinityCache(RefreshEvery: 0), "every 0 steps");
        Refused(new VicinityCache(Before: -1), "a vicinity of -1 and 16");
        using var shifted = Fresh(change: spec => spec with { Shifted = true });
        Assert.Contains("answers in place", Refusal(() => SemiAutoregressiveDecoder.Decode(shifted, Ids(Prompt), null, new(4, 4, 4) { Cache = new DelayedCache() })), StringComparison.Ordinal);
        Assert.Contains("prefix or dual", Refusal(() => DreamDecoder.Decode(shifted, Ids(Prompt), null, new(4, 4, DreamAlgorithm.Entropy) { Cache = new VicinityCache() })), StringComparison.Ordinal);
        // One canvas has a mask more than the other.
        var uneven = Refusal(() => SemiAutoregressiveDecoder.Fill(_model, Ids([3, Mask, Mask, Mask, Mask, 2], [3, Mask, Mask, 1, Mask, 2]), null, new(4, 4, 4) { Cache = new DelayedCache(9) }));
        Assert.Contains("3, 2 masks", uneven, StringComparison.Ordinal);

        void Refused(DecodingCache cache, string rule) => Assert.Contains(rule, Refusal(() => SemiAutoregressiveDecoder.Decode(_model, Ids(Prompt), null, new(4, 4, 4) { Cache = cache })), StringComparison.Ordinal);
    }

    private static string Refusal(Action decode)
    {
        using var scope = NewDisposeScope();
        return Assert.Throws<DecodingException>(decode).Message;
    }

    /// <summary>Of positions that are revealed at random, the leftmost first.</summary>
    private sealed class LeftToRight() : DecodingDraws(0)
    {
        public override Tensor Confidences(long canvases, long positions, int call, int begin) => linspace(1, .5, positions).expand(canvases, positions);
    }
}
