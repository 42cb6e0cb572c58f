using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>Losses and the gradients of all parameters against the reference's, on recorded masks: <c>case-loss</c> and <c>case-bd-training</c>.</summary>
internal static class LossParity
{
    private const double LossTolerance = 1e-5, GradientTolerance = 1e-4;

    // dllm's linear schedule divides by t and this; Dream's context-adaptive weights are a geometric law of this rate.
    private const double ScheduleEpsilon = 1e-6, GeometricRate = .3;

    public static IEnumerable<ParityResult> Run(ParityFolder folder)
    {
        if (folder.Json("case-loss") is { } loss)
        {
            if (loss.TryGetProperty("loss_sft", out _))
            {
                foreach (var result in Llada(folder, loss, "pretrain").Concat(Llada(folder, loss, "sft"))) yield return result;
            }
            else
            {
                foreach (var result in Dream(folder, loss, "scheduler_weight").Concat(Dream(folder, loss, "cart"))) yield return result;
            }
        }

        if (folder.Json("case-bd-training") is { } blocks)
        {
            foreach (var result in Sdar(folder, blocks)) yield return result;
        }
    }

    /// <summary>LLaDA's pre-training loss over everything, and its supervised form over answers.</summary>
    private static List<ParityResult> Llada(ParityFolder folder, JsonElement fixture, string form)
    {
        using var scope = NewDisposeScope();
        using var model = folder.Load(trainable: true);
        using var file = folder.Tensors("case-loss");
        var batch = form == "sft" ? Supervised(fixture) : Noised(fixture, form, [.. fixture.GetProperty("prompt_lengths").EnumerateArray().Select(_ => 0)]);
        return Compare($"{folder.Name}/case-loss {form}", model.Parameters, file, MaskedLoss.Of(model, batch, maskIsToken: true), fixture.GetProperty($"loss_{form}").GetDouble(), $"grad_{form}.");
    }

    /// <summary>Answers masked, each weighed by its ratio and length.</summary>
    public static NoisyBatch Supervised(JsonElement fixture) => Noised(fixture, "sft", [.. fixture.GetProperty("prompt_lengths").EnumerateArray().Select(length => length.GetInt32())]);

    private static NoisyBatch Noised(JsonElement fixture, string form, int[] prompts)
    {
        var (epsilon, ids) = (fixture.GetProperty("eps").GetDouble(), Ids(fixture, "input_ids"));
        var ratios = fixture.GetProperty("t").EnumerateArray().Select(t => t.GetDouble()).ToArray();
        return Batch(ids, Ids(fixture, $"noisy_{form}"), (b, _) => 1 / ((((1 - epsilon) * ratios[b]) + epsilon) * (ids[b].Length - prompts[b]) * ids.Length));
    }

    /// <summary>dllm's losses for Dream, by 1 / t and by how near revealed tokens are (CART), each over the answer's tokens.</summary>
    private static List<ParityResult> Dream(ParityFolder folder, JsonElement fixture, string form)
    {
        using var scope = NewDisposeScope();
        using var model = folder.Load(trainable: true);
        using var file = folder.Tensors("case-loss");
        var (ids, noisy, labels) = (Ids(fixture, "input_ids"), Ids(fixture, "noisy"), Ids(fixture, "labels"));
        var ratios = fixture.GetProperty("t").EnumerateArray().Select(t => t.GetDouble()).ToArray();
        double answers = labels.Sum(row => row.Count(label => label >= 0));
        var batch = Batch(ids, noisy, (b, i) => (form == "cart" ? Cart(ids[b], noisy[b], i) : 1 / (ratios[b] + ScheduleEpsilon)) / answers);
        return Compare($"{folder.Name}/case-loss {form}", model.Parameters, file, MaskedLoss.Of(model, batch, maskIsToken: true), fixture.GetProperty($"loss_{form}").GetDouble(), form == "cart" ? "grad_cart." : "grad_scheduler.");
    }

    /// <summary>Block diffusion training of SDAR: the noisy copy beside the clean one.</summary>
    private static List<ParityResult> Sdar(ParityFolder folder, JsonElement fixture)
    {
        using var scope = NewDisposeScope();
        using var model = folder.Load(trainable: true);
        using var file = folder.Tensors("case-bd-training");
        var (ids, noisy) = (Ids(fixture, "input_ids"), Ids(fixture, "noisy"));
        var weight = 1 / (fixture.GetProperty("p_mask").GetDouble() * fixture.GetProperty("answer_len").GetDouble());
        var batch = Batch(ids, noisy, (_, _) => weight);
        var layout = new BlockCausalLayout(file.Read("position_ids"), file.Read("bd_mask").unsqueeze(0), ids[0].Length);
        var logits_NV = model.Logits(model.HiddenRows(file.Read("concat_ids"), HostTensor.Of(batch.Rows_N), layout));
        var loss = MaskedLoss.TokenLogProbs(logits_NV, HostTensor.Of(batch.Targets_N)).Times(HostTensor.Of(batch.Weights_N)).sum().neg();
        return Compare($"{folder.Name}/case-bd-training", model.Parameters, file, loss, fixture.GetProperty("loss").GetDouble(), "grad.");
    }

    public static List<ParityResult> Compare(string name, IEnumerable<KeyValuePair<string, Tensor>> parameters, SafetensorsFile file, Tensor loss, double expected, string prefix)
    {
        var error = Math.Abs(loss.item<float>() - expected) / Math.Max(1, Math.Abs(expected));
        var results = new List<ParityResult> { new($"{name} loss", error, error <= LossTolerance ? "" : $"is {loss.item<float>():g9}, the reference {expected:g9}") };
        loss.backward();
        var (worst, where, compared) = (0.0, "", 0);
        foreach (var (parameter, value) in parameters.Where(pair => file.Contains(prefix + pair.Key)))
        {
            var reference = file.Read(prefix + parameter);
            // Relative to the tensor's own scale: gradients range over orders of magnitude.
            var difference = value.grad is null ? double.PositiveInfinity : reference.sub(value.grad).abs().max().item<float>() / (1e-3 + reference.abs().max().item<float>());
            compared++;
            if (difference >= worst) (worst, where) = (difference, parameter);
        }

        if (compared > 0) results.Add(new($"{name} {compared} gradients", worst, worst <= GradientTolerance ? "" : $"{where} differs by more than {GradientTolerance:g2} of its largest value"));
        return results;
    }

    /// <summary>Questions where the noisy ids differ from the clean ones.</summary>
    private static NoisyBatch Batch(long[][] ids, long[][] noisy, Func<int, int, double> weight)
    {
        var asked = ids.SelectMany((row, b) => Enumerable.Range(0, row.Length).Where(i => row[i] != noisy[b][i]).Select(i => (b, i))).ToList();
        var length = ids[0].Length;
        return new(ids.Length, length, [.. noisy.SelectMany(row => row)], null, [.. asked.Select(at => ((long)at.b * length) + at.i)], [.. asked.Select(at => ids[at.b][at.i])], [.. asked.Select(at => (float)weight(at.b, at.i))]);
    }

    /// <summary>Half a geometric law's probability of the distance, summed over what is not masked.</summary>
    private static double Cart(long[] ids, long[] noisy, int i) =>
        Enumerable.Range(0, ids.Length).Where(j => ids[j] == noisy[j]).Sum(j => .5 * GeometricRate * Math.Pow(1 - GeometricRate, Math.Abs(i - j) - 1));

    private static long[][] Ids(JsonElement fixture, string name) => ParityFolder.Ids(fixture.GetProperty(name));
}
