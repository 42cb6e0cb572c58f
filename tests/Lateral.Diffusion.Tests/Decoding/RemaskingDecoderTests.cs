using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Models;
using static Lateral.Tests.Diffusion.DecodingModels;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>ReMDM's posterior as numbers, and the decoder against it: every decision of every position.</summary>
public sealed class RemaskingDecoderTests : IDisposable
{
    private static readonly long[] Prompt = [3, 1, 4];

    private static readonly Dictionary<string, RemaskingSchedule> Schedules = new(StringComparer.Ordinal)
    {
        ["none"] = new RescaledRemasking(0),
        ["cap"] = new CappedRemasking(.3),
        ["rescale"] = new RescaledRemasking(.5),
        ["largest"] = new RescaledRemasking(1),
        ["loop"] = new LoopedRemasking(.1) { On = .7, Off = .3, Level = .6 },
        ["confidence"] = new RemaskingByConfidence(),
    };

    private readonly TransformerModel _model = Fresh();

    public static TheoryData<string> Names => new(Schedules.Keys);

    public void Dispose() => _model.Dispose();

    /// <summary>Every pattern of three positions under the forward marginal, and every outcome of the step: the expected number of masks is the later time's.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Step_must_keep_the_marginals(string name)
    {
        var schedule = Schedules[name];
        for (var i = 0; i < 10; i++)
        {
            var (t, s) = (1 - (i / 10.0), 1 - ((i + 1) / 10.0));
            var (before, after, step) = (schedule.Alpha(t), schedule.Alpha(s), RemaskingStep.Of(schedule, t, s));
            Assert.InRange(after, before, 1);
            Assert.InRange(step.Sigma, 0, before > 0 ? Math.Min(1, ((1 - after) / before) + 1e-12) : 1);
            Assert.InRange(step.Decode, 0, 1 + 1e-12);
            var (expected, probability) = (0.0, 0.0);
            for (var states = 0; states < 64; states++)
            {
                var product = 1.0;
                for (var position = 0; position < 3; position++)
                {
                    var (was, now) = ((states >> (2 * position)) % 2 == 1, (states >> ((2 * position) + 1)) % 2 == 1);
                    // By confidence, sigma is shared out; the law of one position is that without it.
                    var sigma = schedule.SharedOut ? 0 : step.Sigma;
                    product *= was ? (1 - before) * (now ? 1 - step.Decode : step.Decode) : before * (now ? sigma : 1 - sigma);
                }

                probability += product;
                expected += product * Enumerable.Range(0, 3).Count(position => (states >> ((2 * position) + 1)) % 2 == 1);
            }

            Assert.Equal(1, probability, 1e-12);
            Assert.Equal(3 * (1 - after), expected, 1e-12);
        }
    }

    [Fact]
    public void Sigma_must_be_what_each_schedule_says()
    {
        // From alpha .5 to .6 at most (1 - .6) / .5 = .8 may be masked again.
        Is(.3, .5, new CappedRemasking(.3), .5, .4);
        Is(.4, .6, new RescaledRemasking(.5), .5, .4);
        Is(.8, 1, new CappedRemasking(.95), .5, .4);
        Is(0, .2, new RescaledRemasking(0), .5, .4);
        Is(.8, .2, new RemaskingByConfidence(), .5, .4);
        // At the loop's level as many are decoded as are masked: .1 of .6 are .15 of .4. Before and behind it none is masked.
        var loop = new LoopedRemasking(.1) { On = .7, Off = .3, Level = .6 };
        Is(.1, .15, loop, .6, .5);
        Is(0, .25, loop, .9, .8);
        Is(0, 1.0 / 3, loop, .3, .2);

        static void Is(double sigma, double decode, RemaskingSchedule schedule, double t, double s)
        {
            var step = RemaskingStep.Of(schedule, t, s);
            Assert.Equal(sigma, step.Sigma, 1e-12);
            Assert.Equal(decode, step.Decode, 1e-12);
        }
    }

    /// <summary>The positions that change are those whose uniform numbers the posterior says, at every step.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Decoder_must_decode_and_mask_again_by_the_posterior(string name)
    {
        const int gen = 40, steps = 12;
        var (schedule, draws) = (Schedules[name], new RecordingDraws(7));
        var (output, seen) = Run(report => RemaskingDecoder.Decode(_model, Ids(Prompt), null, new(gen, steps, schedule) { Temperature = 1 }, report, draws));
        Assert.Equal(steps, seen.Count);
        var (states, again) = (seen.Append(output).Select(state => state[0]).ToList(), 0);
        var probability = new double[gen];
        for (var call = 0; call < steps; call++)
        {
            var step = RemaskingStep.Of(schedule, 1 - ((double)call / steps), 1 - ((call + 1.0) / steps));
            var whole = Enumerable.Range(0, gen).Where(i => states[call][Prompt.Length + i] != Mask).Sum(i => Math.Exp(-probability[i]));
            for (var i = 0; i < gen; i++)
            {
                var (was, u) = (states[call][Prompt.Length + i], draws.Uniforms[call][i]);
                var sigma = schedule.SharedOut ? step.Sigma * Math.Exp(-probability[i]) / whole : step.Sigma;
                var expected = was == Mask ? u < (float)step.Decode || call == steps - 1 ? draws.Drawn[call][i] : Mask : u < (float)sigma ? Mask : was;
                Assert.Equal(expected, states[call + 1][Prompt.Length + i]);
                again += was != Mask && expected == Mask ? 1 : 0;
                if (was == Mask && expected != Mask) probability[i] = Softmax(draws.Logits[call][i])[expected];
            }

            Assert.Equal(Prompt, states[call + 1][..Prompt.Length]);
        }

        Assert.DoesNotContain(Mask, output[0]);
        Assert.Equal(name != "none", again > 0);
    }

    /// <summary>1,500 positions: at every time as many masks as the schedule's alpha leaves, within five deviations.</summary>
    [Theory]
    [InlineData("none")]
    [InlineData("cap")]
    [InlineData("rescale")]
    [InlineData("loop")]
    public void Number_of_masks_must_follow_time(string name)
    {
        const int gen = 1500, steps = 8;
        var (_, seen) = Run(report => RemaskingDecoder.Decode(_model, Ids(Prompt), null, new(gen, steps, Schedules[name]) { Temperature = 1, Seed = 3 }, report));
        for (var call = 0; call < steps; call++)
        {
            var share = 1 - Schedules[name].Alpha(1 - ((double)call / steps));
            Assert.InRange(seen[call][0].Count(id => id == Mask), (gen * share) - (5 * Math.Sqrt(gen * share * (1 - share))), (gen * share) + (5 * Math.Sqrt(gen * share * (1 - share))));
        }
    }

    [Fact]
    public void Nothing_masked_again_must_be_ancestral_sampling_call_by_call()
    {
        var none = Run(report => RemaskingDecoder.Decode(_model, Ids(Prompt, [2, 7, 1]), null, new(24, 10, new CappedRemasking(0)) { Temperature = 1, Seed = 5 }, report));
        var ancestral = Run(report => DreamDecoder.Decode(_model, Ids(Prompt, [2, 7, 1]), null, new(24, 10, DreamAlgorithm.Origin) { Temperature = 1, Seed = 5, Epsilon = 1e-9 }, report));
        Same(ancestral.Seen, none.Seen);
        Assert.Equal(ancestral.Output, none.Output);
    }

    [Fact]
    public void Parts_must_go_to_the_least_sure_and_only_to_what_is_decoded()
    {
        using var scope = NewDisposeScope();
        var parts = RemaskingDecoder.Parts(tensor(new[] { .9f, .2f, .5f, 0, 0, 0 }, 2, 3), tensor(new[] { true, true, false, false, false, true }, 2, 3)).data<float>().ToArray();
        var whole = Math.Exp(-.9) + Math.Exp(-.2);
        Assert.Equal([Math.Exp(-.9) / whole, Math.Exp(-.2) / whole, 0, 0, 0, 1], parts.Select(part => (double)part), new NearDouble(1e-6));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Given_tokens_must_never_be_masked(string name)
    {
        long[] canvas = [3, 1, Mask, Mask, 5, Mask, Mask, Mask, 2];
        var (output, seen) = Run(report => RemaskingDecoder.Fill(_model, Ids(canvas), null, new(1, 60, Schedules[name]) { Temperature = 1 }, report));
        Assert.All(seen.Append(output), state => Assert.All(canvas.Index().Where(one => one.Item != Mask), one => Assert.Equal(one.Item, state[0][one.Index])));
        Assert.DoesNotContain(Mask, output[0]);
        Assert.Equal(name != "none", seen.Zip(seen.Skip(1)).Any(pair => canvas.Index().Any(one => pair.First[0][one.Index] != Mask && pair.Second[0][one.Index] == Mask)));
    }

    [Fact]
    public void Settings_out_of_range_must_be_refused()
    {
        Refused(new(4, 0, new CappedRemasking()), "steps 0 must be positive");
        Refused(new(0, 4, new CappedRemasking()), "gen-length 0 must be positive");
        Refused(new(4, 4, new CappedRemasking()) { TopP = 1.5 }, "top-p 1.5");
        Refused(new(4, 4, new CappedRemasking(-.1)), "eta -0.1 must be 0 to 1");
        Refused(new(4, 4, new RescaledRemasking(1.1)), "eta 1.1 must be 0 to 1");
        Refused(new(4, 4, new LoopedRemasking(.2)), "eta 0.2 must be at most 0.111 at level 0.9");
        Refused(new(4, 4, new LoopedRemasking { On = .2, Off = .5 }), "1 > on > off > 0");
        using var blockwise = Fresh(change: spec => spec with { AttentionBlock = 4 });
        Assert.Contains("sees everything", Refusal(() => RemaskingDecoder.Decode(blockwise, Ids(Prompt), null, new(4, 4, new CappedRemasking()))), StringComparison.Ordinal);
        Assert.Contains("does not see what stands behind", Refusal(() => RemaskingDecoder.Fill(blockwise, Ids([3, Mask, 2]), null, new(4, 4, new CappedRemasking()))), StringComparison.Ordinal);

        void Refused(RemaskingSettings settings, string rule) => Assert.Contains(rule, Refusal(() => RemaskingDecoder.Decode(_model, Ids(Prompt), null, settings)), StringComparison.Ordinal);
    }

    private static string Refusal(Action decode)
    {
        using var scope = NewDisposeScope();
        return Assert.Throws<DecodingException>(decode).Message;
    }

    private static double[] Softmax(float[] logits)
    {
        var sum = logits.Sum(logit => Math.Exp(logit));
        return [.. logits.Select(logit => Math.Exp(logit) / sum)];
    }
}
