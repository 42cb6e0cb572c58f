using System.Text.Json;
using Lateral.Core;
using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Parity;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>
/// Cases of other sizes, ids and parameters than those of the copy. Their models are drawn here and their results computed by other means than the comparison's, or by our own decoders: what is tested is
/// that everything is read from the files.
/// </summary>
public sealed class OtherSizesTests : IDisposable
{
    private const int Mask = 60;

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Padded_batch_of_a_grouped_model_must_be_followed()
    {
        using var model = Save(Llada with { KeyHeads = 2 });
        long[][] prompt = [[1, 2, 3, 4], [0, 0, 5, 6]], attend = [[1, 1, 1, 1], [0, 0, 1, 1]];
        Record("gen-a", prompt, new { gen_length = 15, steps = 6, block_length = 5, remasking = "low_confidence" }, attend, seen => SemiAutoregressiveDecoder.Decode(model, prompt.ToTensor(), attend.ToTensor(), new(15, 5, 6), seen));
        Passes("gen-a");
    }

    /// <summary>Fast-dLLM asks once more about a block that its first forward filled; nothing comes of it.</summary>
    [Fact]
    public void Second_forward_of_a_full_block_must_not_count()
    {
        using var model = Save(Llada);
        long[][] prompt = [[1, 2, 3]];
        Record("gen-b", prompt, new { fn = "generate_with_dual_cache", gen_length = 8, steps = 8, block_length = 4, threshold = 1e-6 }, null,
            seen => SemiAutoregressiveDecoder.Decode(model, prompt.ToTensor(), null, new(8, 4, 8) { Cache = DecodingCache.Dual, Rule = new ConfidenceThreshold(1e-6) }, seen),
            (calls, output) => [calls[0], [output[0][3..7]], calls[1], [output[0][7..11]]]);
        Passes("gen-b");
    }

    [Fact]
    public void Trajectory_under_another_temperature_must_be_scored()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Save(Llada);
        long[][] prompt = [[9, 8, 7]];
        var calls = Record("gen-c", prompt, new { gen_length = 6, steps = 4, block_length = 3 }, null, seen => SemiAutoregressiveDecoder.Decode(model, prompt.ToTensor(), null, new(6, 3, 4), seen));
        var steps = calls[..^1].Zip(calls[1..], (before, after) =>
        {
            int[] positions = [.. Enumerable.Range(0, 9).Where(i => before[0][i] != after[0][i])];
            var logp_LV = model.Logits(model.Hidden(before.ToTensor()).view(9, -1)).div(tensor(1.3f)).log_softmax(-1);
            return new { positions, tokens = positions.Select(i => after[0][i]), logp = positions.Select(i => logp_LV[i, after[0][i]].item<float>()) };
        });
        File.WriteAllText(Path.Combine(_folder, "traj-c.json"), JsonSerializer.Serialize(new { trajectory = "gen-c.json", temperature = 1.3, steps }));
        Passes("traj-c");
    }

    /// <summary>Dream's origin, step by step: a masked position is revealed where its number, canvas by canvas, is below the step's share.</summary>
    [Fact]
    public void Draws_of_several_canvases_must_be_told_apart()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Save(Llada with { Family = "Dream", Shifted = true, AttentionBias = true, RotaryRounded = true, PadUntrained = true });
        var (random, x, uniforms, calls) = (new CounterRandom(7), new long[][] { [1, 2, Mask, Mask, Mask, Mask], [3, 4, Mask, Mask, Mask, Mask] }, new List<double[]>(), new List<long[][]>());
        var times = DreamDecoder.Times(3, 1e-3);
        for (var step = 0; step < 3; step++)
        {
            calls.Add([.. x.Select(row => (long[])row.Clone())]);
            var tokens = model.TokenLogits(model.HiddenRows(x.ToTensor(), tensor(Enumerable.Range(0, 12).Select(i => (long)i).ToArray()))).argmax(-1).data<long>().ToArray();
            uniforms.Add([.. Enumerable.Range(0, x.Sum(row => row.Count(id => id == Mask))).Select(i => (double)(float)random.Uniform(RandomStream.Noise, i, step))]);
            var (share, next) = (step < 2 ? 1 - (times[step + 1] / times[step]) : 1, 0);
            for (var i = 0; i < 12; i++)
            {
                if (x[i / 6][i % 6] == Mask && uniforms[step][next++] < share) x[i / 6][i % 6] = tokens[i];
            }
        }

        Write("gen-d", new { prompt = x.Select(row => row[..2]), alg = "origin", max_new_tokens = 4, steps = 3, eps = 1e-3, uniform_per_step = uniforms, model_inputs_per_call = calls, output = x });
        Passes("gen-d");
    }

    /// <summary>
    /// Fast-dLLM's threshold without a cache, as its loop counts: a step may reveal its share and as many as the step before has rejected; when the steps are over, only those.
    /// </summary>
    [Fact]
    public void Share_that_a_step_left_must_be_the_next_ones_too()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        // A checkpoint whose confidences are spread.
        foreach (var file in new[] { ModelStore.ConfigFile, ModelStore.WeightsFile }) File.Copy(Path.Combine(Fixture.Root, "dream-tiny", file), Path.Combine(_folder, file));
        using var model = ModelStore.Load(_folder, trainable: false);
        var counts = new List<int>();
        foreach (var threshold in new[] { .2, .3, .4, .5, .6 })
        {
            var (x, calls) = ((long[])[1, 2, .. Enumerable.Repeat((long)model.Spec.MaskToken, 24)], new List<long[][]>());
            for (int share = 2, left = 0, steps = 12, step = 0; step < steps; step++)
            {
                calls.Add([[.. x]]);
                var (p_L, tokens_L) = model.TokenLogits(model.HiddenRows(tensor(x, 1, 26), tensor(Enumerable.Range(0, 26).Select(i => (long)i).ToArray()))).softmax(-1).max(-1);
                int[] surest = [.. Enumerable.Range(0, 26).Where(i => x[i] == model.Spec.MaskToken).OrderByDescending(i => p_L[i].item<float>()).Take(share + left)];
                int[] taken = [.. surest.Where((i, rank) => rank == 0 || p_L[i].item<float>() >= threshold)];
                foreach (var i in taken) x[i] = tokens_L[i].item<long>();
                left = surest.Length - taken.Length;
                counts.Add(taken.Length);
                if (step >= steps - 1 && left > 0) (share, steps) = (0, steps + 1);
            }

            Write("gen-g", new { prompt = new[] { x[..2] }, alg = "confidence_threshold", max_new_tokens = 24, steps = 12, threshold, model_inputs_per_call = calls, output = new[] { x } });
            Passes("gen-g");
        }

        // Otherwise nothing of it shows.
        Assert.Contains(counts, count => count > 2);
    }

    [Fact]
    public void Sampled_blocks_of_another_length_must_be_followed()
    {
        using var model = Save(Llada with { Family = "sdar", RotaryRounded = true, HeadNorm = true, NormRoundedLast = true, PadUntrained = true, AttentionBlock = 4 });
        long[][] prompt = [[1, 2, 3, 4, 5, 6, 7]];
        var random = new CounterRandom(3);
        var uniforms = Enumerable.Range(0, 40).Select(call => Enumerable.Range(0, 3).Select(i => random.Uniform(RandomStream.Noise, i, call)).ToArray()).ToArray();
        var settings = new BlockDiffusionSettings(8, 3, 2, BlockRemasking.LowConfidenceStatic) { Temperature = .9, TopK = 5 };
        using var draws = JsonDocument.Parse(JsonSerializer.Serialize(uniforms));
        using var other = ModelStore.Load(_folder, trainable: false, choices: new(AttentionBlock: 3));
        Record("gen-e", prompt, new { gen_length = 8, block_length = 3, denoising_steps = 2, remasking_strategy = "low_confidence_static", temperature = .9, top_k = 5 }, null,
            seen => BlockDiffusionDecoder.Decode(other, prompt.ToTensor(), settings, seen, RecordedDraws.Sdar(draws.RootElement)), extra: ("uniform_per_denoise_call", uniforms));
        Passes("gen-e");
    }

    /// <summary>LLaDA2.0 ends after the block in which its end token falls, and returns nothing behind that token.</summary>
    [Fact]
    public void End_token_must_end_a_completion_after_its_block()
    {
        using var scope = NewDisposeScope();
        using var model = Save(Llada with
        {
            Family = "llada2_moe",
            RotaryRounded = true,
            HeadNorm = true,
            PadUntrained = true,
            FusedAttention = true,
            AttentionBlock = 4,
            Experts = new(6, 2, 16, [0], 16) { Sigmoid = true, HasBias = true, Renormalised = true, Groups = 3, GroupsPerToken = 2, Scale = 1.5 },
        });
        var (prompt, calls) = (new long[][] { [1, 2, 3, 4, 5] }, new List<long[]>());
        var full = BlockDiffusionDecoder.Decode(model, prompt.ToTensor(), new(14, 4, 4, BlockRemasking.LowConfidenceDynamic) { Threshold = .5, Cached = false }, ids => calls.Add(ids.data<long>().ToArray())).data<long>().ToArray();
        // The token of the completion's position 5 ends it, or of one before that is the same.
        var end = Array.IndexOf(full, full[10], 5);
        var window = (end / 4 * 4) + 4;
        Write("gen-f", new
        {
            kwargs = new { block_length = 4, gen_length = 14, steps = 32, threshold = .5, eos_id = full[10], mask_id = Mask, eos_early_stop = false },
            prompt,
            model_inputs_per_call = calls.Where(ids => ids.Length <= window).Select(ids => new[] { ids }),
            output = new[] { full[5..(end + 1)] },
        });
        Passes("gen-f");
    }

    [Fact]
    public void Orders_of_different_lengths_must_be_scored_in_one_batch()
    {
        double[][] scores = [[2, -1, .5, 0], [3, 3, -2, 1], [0, 1, 2, 3]];
        bool[][] candidates = [[true, true, false, true], [true, true, true, true], [false, false, false, true]];
        int[][] order = [[3], [2, 0, 3, 1], [3]];
        var expected = order.Select((drawn, row) => drawn.Select((position, k) => scores[row][position] - Math.Log(Enumerable.Range(0, 4).Where(j => candidates[row][j] && !drawn[..k].Contains(j)).Sum(j => Math.Exp(scores[row][j])))).Sum());
        Write("plackett-luce-other", new { scores, candidates, order, log_prob = expected });
        Passes("plackett-luce-other");
    }

    private static TransformerSpec Llada => new TransformerSpec(32, 3, 4, 48, 61, 64, 1e-5, 10_000, Mask, 7, null);

    private TransformerModel Save(TransformerSpec spec)
    {
        var model = ModelStore.Fresh(spec, seed: 6, trainable: false);
        // Far from uniform, so that confidences differ.
        using (NewDisposeScope()) model.Parameters[ModelFamilies.Of(spec).Head].MultiplyInPlace(8);
        ModelStore.Save(model, _folder);
        return model;
    }

    private List<long[][]> Record(string name, long[][] prompt, object settings, long[][]? attend, Func<Action<Tensor>, Tensor> decode, Func<List<long[][]>, long[][], List<long[][]>>? asReference = null, (string Key, object Value)? extra = null)
    {
        using var scope = NewDisposeScope();
        var calls = new List<long[][]>();
        long[][] Rows(Tensor ids) => [.. ids.contiguous().data<long>().ToArray().Chunk((int)ids.shape[1])];
        var output = Rows(decode(ids => calls.Add(Rows(ids))));
        var document = new Dictionary<string, object?> { ["case"] = settings, ["prompt"] = prompt, ["attention_mask"] = attend, ["model_inputs_per_call"] = asReference?.Invoke(calls, output) ?? calls, ["output"] = output };
        if (extra is { } more) document[more.Key] = more.Value;
        Write(name, document);
        return [.. calls, output];
    }

    private void Write(string name, object fixture) => File.WriteAllText(Path.Combine(_folder, $"{name}.json"), JsonSerializer.Serialize(fixture));

    private void Passes(string name) => Assert.All(ParitySuite.Cases(_folder).Single(one => one.Title.EndsWith($"/{name}", StringComparison.Ordinal)).Run(), result => Assert.True(result.Passed, $"{result.Case}: {result.Detail}"));
}
