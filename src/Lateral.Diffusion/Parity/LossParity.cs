using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>Losses and the gradients of all parameters against the reference's, on recorded masks. Files <c>case-loss</c>: a number <c>loss_FORM</c> for each form of the loss, its gradients in the tensors' file.</summary>
internal static class LossParity
{
    private const double LossTolerance = 1e-5, GradientTolerance = 1e-4;

    // dllm's linear schedule divides by t and this; Dream's context-adaptive weights are a geometric law of this rate.
    private const double ScheduleEpsilon = 1e-6, GeometricRate = .3;

    private const string LossKey = "loss_";

    public static IEnumerable<ParityResult> Run(ParityFolder folder, string name)
    {
        var fixture = folder.Required(name);
        foreach (var form in fixture.EnumerateObject().Select(property => property.Name).Where(key => key.StartsWith(LossKey, StringComparison.Ordinal)).Select(key => key[LossKey.Length..]))
        {
            var title = $"{folder.Name}/{name} {form}";
            (NoisyBatch Batch, string Gradients)? known = form switch
            {
                "pretrain" => (Noised(fixture, form, [.. fixture.Of("input_ids").Rows().Select(_ => 0)]), $"grad_{form}."),
                "sft" => (Supervised(fixture), $"grad_{form}."),
                "scheduler_weight" => (Answers(fixture, (ratio, _, _, _) => 1 / (ratio + ScheduleEpsilon)), "grad_scheduler."),
                "cart" => (Answers(fixture, (_, ids, noisy, i) => Cart(ids, noisy, i)), "grad_cart."),
                _ => null,
            };
            if (known is not { } loss)
            {
                yield return ParityResult.Failure(title, "is a form of the loss that is not known here");
                continue;
            }

            using var scope = NewDisposeScope();
            using var model = folder.Load(trainable: true);
            using var file = folder.Has($"{name}.safetensors") ? folder.Tensors(name) : null;
            foreach (var result in Compare(title, model.Parameters, file, MaskedLoss.Of(model, loss.Batch, maskIsToken: true), fixture.Number(LossKey + form), loss.Gradients)) yield return result;
        }
    }

    /// <summary>LLaDA's supervised loss: answers masked, each weighed by its ratio and length.</summary>
    public static NoisyBatch Supervised(JsonElement fixture) => Noised(fixture, "sft", fixture.Of("prompt_lengths").Ints());

    /// <param name="file">has the gradients, each with the prefix before its parameter's name; null = is not there</param>
    public static List<ParityResult> Compare(string title, IEnumerable<KeyValuePair<string, Tensor>> parameters, SafetensorsFile? file, Tensor loss, double expected, string prefix)
    {
        var results = new List<ParityResult> { CompareLoss($"{title} loss", loss, expected) };
        if (file is null) return [.. results, ParityResult.NotThere($"{title} gradients", "their file is not there")];
        loss.backward();
        var (worst, where, compared) = (0.0, "", 0);
        foreach (var (parameter, value) in parameters.Where(pair => file.Contains(prefix + pair.Key)))
        {
            var reference = file.Read(prefix + parameter);
            // Relative to the tensor's own scale: gradients range over orders of magnitude.
            var difference = value.grad is null ? double.PositiveInfinity : reference.sub(value.grad).abs().max().item<float>() / (1e-3 + reference.abs().max().item<float>());
            compared++;
            // What is no number is the worst.
            if (!(difference < worst)) (worst, where) = (difference, parameter);
        }

        if (compared > 0) results.Add(new($"{title} {compared} gradients", worst, worst <= GradientTolerance ? "" : $"{where} differs by more than {GradientTolerance:g2} of its largest value"));
        return results;
    }

    public static ParityResult CompareLoss(string title, Tensor loss, double expected)
    {
        var found = loss.item<float>();
        var error = Math.Abs(found - expected) / Math.Max(1, Math.Abs(expected));
        return new(title, error, error <= LossTolerance ? "" : $"is {found:g9}, the reference {expected:g9}");
    }

    /// <summary>Questions where the noisy ids differ from the clean ones.</summary>
    public static NoisyBatch Batch(long[][] ids, long[][] noisy, Func<int, int, double> weight)
    {
        var asked = ids.SelectMany((row, b) => Enumerable.Range(0, row.Length).Where(i => row[i] != noisy[b][i]).Select(i => (b, i))).ToList();
        var length = ids[0].Length;
        return new(ids.Length, length, [.. noisy.SelectMany(row => row)], null, [.. asked.Select(at => ((long)at.b * length) + at.i)], [.. asked.Select(at => ids[at.b][at.i])], [.. asked.Select(at => (float)weight(at.b, at.i))]);
    }

    /// <summary>LLaDA's loss over what stands behind a row's prompt.</summary>
    private static NoisyBatch Noised(JsonElement fixture, string form, int[] prompts)
    {
        var (epsilon, ids, ratios) = (fixture.Number("eps"), fixture.Of("input_ids").Rows(), fixture.Of("t").Numbers());
        return Batch(ids, fixture.Of($"noisy_{form}").Rows(), (b, _) => 1 / ((((1 - epsilon) * ratios[b]) + epsilon) * (ids[b].Length - prompts[b]) * ids.Length));
    }

    /// <summary>dllm's losses for Dream over the answers' tokens together, which are those with a label.</summary>
    /// <param name="weight">of a row's ratio, its ids and noisy ids, and the position</param>
    private static NoisyBatch Answers(JsonElement fixture, Func<double, long[], long[], int, double> weight)
    {
        var (ids, noisy, ratios) = (fixture.Of("input_ids").Rows(), fixture.Of("noisy").Rows(), fixture.Of("t").Numbers());
        double answers = fixture.Of("labels").Rows().Sum(row => row.Count(label => label >= 0));
        return Batch(ids, noisy, (b, i) => weight(ratios[b], ids[b], noisy[b], i) / answers);
    }

    /// <summary>Half a geometric law's probability of the distance, summed over what is not masked.</summary>
    private static double Cart(long[] ids, long[] noisy, int i) =>
        Enumerable.Range(0, ids.Length).Where(j => ids[j] == noisy[j]).Sum(j => .5 * GeometricRate * Math.Pow(1 - GeometricRate, Math.Abs(i - j) - 1));
}
