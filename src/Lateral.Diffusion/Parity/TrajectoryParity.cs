using System.Text.Json;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>
/// Log-probabilities of recorded trajectories, <c>traj-*</c>: of every step the positions that it revealed, their tokens, and log softmax(logits / T) of them given that call's input. They are asked of the
/// model on those very inputs, and of <see cref="TrajectoryLikelihood"/>, which builds the inputs from reveal steps and tokens.
/// </summary>
/// <remarks>The reference counts the mask as a token, our likelihood does not: p(token | no mask) = p(token) / (1 - p(mask)). N revealed tokens, V vocabulary.</remarks>
internal static class TrajectoryParity
{
    /// <summary>A log-probability differs by what its logit does and by what all together do.</summary>
    private const double Tolerance = 2 * ForwardParity.Tolerance;

    public static IEnumerable<ParityResult> Run(ParityFolder folder, string name)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (fixture, title) = (folder.Required(name), $"{folder.Name}/{name}");
        var generation = folder.Required(Path.GetFileNameWithoutExtension(fixture.Text("trajectory") ?? throw new JsonException("trajectory is missing")));
        using var model = folder.Load(attentionBlock: GenerationParity.Settings(generation).Find("block_length")?.GetInt32());
        var (steps, inputs, temperature) = (fixture.List("steps").ToList(), generation.List("model_inputs_per_call").Select(Canvas).ToList(), fixture.Number("temperature", 1));
        var prompt = Canvas(generation.Of("prompt"));
        if (steps.Count != inputs.Count) throw new JsonException($"{steps.Count} steps do not belong to {inputs.Count} calls");
        if (inputs.Exists(ids => !ids.AsSpan().StartsWith(prompt))) throw new JsonException("a call saw a window and not the canvas from its begin: what it cached is not recorded");

        var attend = generation.Find("attention_mask") is { } mask ? Canvas(mask) : null;
        // A step may reveal nothing.
        var answers = steps.Zip(inputs).Where(call => call.First.Of("positions").GetArrayLength() > 0).Select(call => Ask(model, call.Second, attend, call.First, temperature)).ToList();
        ParityResult Compare(string what, string key, Func<Answer, Tensor> found, double tolerance) => ForwardParity.Compare($"{title} {what}", HostTensor.Of([.. steps.SelectMany(step => step.Of(key).Numbers())]), cat([.. answers.Select(found)], 0), tolerance);
        yield return Compare("log-probs", "logp", answer => answer.LogProb_N, Tolerance / temperature);
        if (steps[0].Find("confidence_T1") is not null) yield return Compare("confidence", "confidence_T1", answer => answer.Confidence_N, Tolerance);
        if (steps[0].Find("entropy") is not null) yield return Compare("entropy", "entropy", answer => answer.Entropy_N, 2 * Tolerance / temperature);

        var output = Canvas(generation.Of("output"));
        int[] revealed = [.. steps.SelectMany(step => step.Of("positions").Ints())];
        if (revealed.Distinct().Count() < revealed.Length || inputs.Exists(ids => ids.Length != output.Length))
        {
            yield return ParityResult.NotThere($"{title} likelihood", "tokens are revised, or the canvas grows: such a trajectory has none here");
            yield break;
        }

        var trajectory = Recorded(steps, output, prompt, attend);
        var different = Enumerable.Range(0, steps.Count).Count(step => !StateView.Before(step, trajectory, []).Canvas(model.Spec.MaskToken).AsSpan().SequenceEqual(Real(inputs[step], attend)));
        yield return ParityResult.Equal($"{title} states", different, "builds other canvases than the model was given");
        var withoutMask = answers.SelectMany(answer => answer.MaskLogProb_N.data<float>().ToArray()).Select(logp => Math.Log(1 - Math.Exp(logp)));
        var expected = revealed.Zip(steps.SelectMany(step => step.Of("logp").Numbers()).Zip(withoutMask, (logp, rest) => logp - rest)).ToDictionary(pair => pair.First - prompt.Length, pair => pair.Second);
        var error = Scored(model, trajectory, temperature).Max(answer => Math.Abs(answer.LogProb - expected[answer.Position]));
        yield return new($"{title} likelihood", error, error <= Tolerance / temperature ? "" : $"differs by more than {Tolerance / temperature:g2}");
    }

    /// <summary>What the model says of the tokens that a call revealed, the mask a token as any other; MaskLogProb_N of the mask in their place.</summary>
    private sealed record Answer(Tensor LogProb_N, Tensor Confidence_N, Tensor Entropy_N, Tensor MaskLogProb_N);

    private static Answer Ask(TransformerModel model, int[] ids, int[]? attend, JsonElement step, double temperature)
    {
        var attend_1L = attend is null ? null : Row([.. attend, .. Enumerable.Repeat(1, ids.Length - attend.Length)]);
        var logits_NV = model.Logits(model.HiddenRows(Row(ids), Row(step.Of("positions").Ints()).view(-1), attend_1L));
        var tokens_N = Row(step.Of("tokens").Ints()).view(-1);
        var tempered_NV = logits_NV.DividedBy(temperature);
        var logp_NV = tempered_NV.log_softmax(-1);
        return new(OutputDistribution.At(logp_NV, tokens_N), OutputDistribution.At(logits_NV.softmax(-1), tokens_N), OutputDistribution.Entropy(tempered_NV), logp_NV.narrow(1, model.Spec.MaskToken, 1).squeeze(1).contiguous());
    }

    private static Trajectory Recorded(List<JsonElement> steps, int[] output, int[] prompt, int[]? attend)
    {
        var completion = output[prompt.Length..];
        var (revealStep, logProbs) = (Enumerable.Repeat(-1, completion.Length).ToArray(), new float[completion.Length]);
        foreach (var (index, step) in steps.Index())
        {
            foreach (var (position, logp) in step.Of("positions").Ints().Zip(step.Of("logp").Numbers())) (revealStep[position - prompt.Length], logProbs[position - prompt.Length]) = (index, (float)logp);
        }

        return new(new(0, 0), [.. Real(prompt, attend)], [.. completion], [.. revealStep], [.. logProbs], [.. new float[steps.Count]], 0, [new(0, 0, "recorded")], "");
    }

    /// <summary>By position of the completion.</summary>
    private static List<(int Position, double LogProb)> Scored(TransformerModel model, Trajectory trajectory, double temperature)
    {
        var table = new UnitTable();
        table.Add(0, trajectory, 0f, new TrajectoryLikelihood(RatioGranularity.Token, StepSubset.All, causal: model.Spec.Causal).Plan(trajectory, new(new CounterRandom(0), 0, 0)), version: 0);
        var scored = new List<(int, double)>();
        foreach (var batch in MicroBatch.Cut(table.Views, 4096, model.Spec.MaskToken))
        {
            var values = ViewScorer.Score(model, DeviceMicroBatch.Upload(batch, table.Units, model), temperature).data<float>().ToArray();
            scored.AddRange(values.Index().Select(answer => ((int)batch.Positions[answer.Index], (double)answer.Item)));
        }

        return scored;
    }

    private static int[] Canvas(JsonElement rows) => rows.GetArrayLength() == 1 ? rows[0].Ints() : throw new JsonException("steps of several canvases are not told apart");

    private static int[] Real(int[] ids, int[]? attend) => attend is null ? ids : [.. ids.Where((_, i) => i >= attend.Length || attend[i] != 0)];

    private static Tensor Row(int[] numbers) => HostTensor.Of(Array.ConvertAll(numbers, number => (long)number), 1, numbers.Length);
}
