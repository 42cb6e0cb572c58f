using System.Text.Json;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>
/// Log-probabilities of reveal orders under Plackett and Luce's law, on the host and for a batch on the device. Files <c>plackett-luce*</c>: of each row scores, which positions are candidates, and the
/// order in which some of them were drawn.
/// </summary>
internal static class OrderParity
{
    // Of the reference's float32, relative to values above 1.
    private const double Tolerance = 1e-5;

    public static IEnumerable<ParityResult> Run(ParityFolder folder, string name)
    {
        var (fixture, title) = (folder.Required(name), $"{folder.Name}/{name}");
        var draws = fixture.List("scores").Zip(fixture.List("candidates"), fixture.List("order")).Select(row => Draw(row.First.Numbers(), row.Second, row.Third.Ints())).ToList();
        double[] host = [.. draws.Select(draw => PlackettLuce.LogProb(draw.Scores, [.. Enumerable.Range(0, draw.Drawn)]))], device = OnDevice(draws);
        foreach (var reference in new[] { "log_prob", "log_prob_brute_force" }.Where(key => fixture.Find(key) is not null))
        {
            var expected = fixture.Of(reference).Numbers();
            yield return Compare($"{title} {reference}", expected, host);
            yield return Compare($"{title} {reference} batch", expected, device);
        }
    }

    /// <summary>A row's candidates: those that were drawn in their order, then the others.</summary>
    private static (double[] Scores, int Drawn) Draw(double[] scores, JsonElement candidates, int[] order)
    {
        var isCandidate = candidates.EnumerateArray().Select(flag => flag.ValueKind == JsonValueKind.Number ? flag.GetInt32() != 0 : flag.GetBoolean()).ToArray();
        if (order.FirstOrDefault(position => !isCandidate[position], -1) is >= 0 and var stranger) throw new JsonException($"position {stranger} was drawn and is no candidate");
        return ([.. order.Concat(Enumerable.Range(0, scores.Length).Where(position => isCandidate[position]).Except(order)).Select(position => scores[position])], order.Length);
    }

    /// <summary>All rows together, each filled up to the longest.</summary>
    private static double[] OnDevice(List<(double[] Scores, int Drawn)> draws)
    {
        using var scope = NewDisposeScope();
        var widest = draws.Max(draw => draw.Scores.Length);
        T[] Cells<T>(Func<(double[] Scores, int Drawn), int, T> cell) => [.. draws.SelectMany(draw => Enumerable.Range(0, widest).Select(c => cell(draw, c)))];
        var scores_SC = HostTensor.Of(Cells((draw, c) => c < draw.Scores.Length ? (float)draw.Scores[c] : 0f), draws.Count, widest);
        var present_SC = HostTensor.Of(Cells((draw, c) => c < draw.Scores.Length), draws.Count, widest);
        var drawn_SC = HostTensor.Of(Cells((draw, c) => c < draw.Drawn ? 1f : 0f), draws.Count, widest);
        return [.. PlackettLuce.LogProbs(scores_SC, present_SC, drawn_SC).data<float>().ToArray().Select(logp => (double)logp)];
    }

    private static ParityResult Compare(string title, double[] expected, double[] found)
    {
        if (expected.Length != found.Length) return ParityResult.Failure(title, $"has {expected.Length} numbers of {found.Length} rows");
        var error = expected.Zip(found).Max(pair => Math.Abs(pair.First - pair.Second) / Math.Max(1, Math.Abs(pair.First)));
        return new(title, error, error <= Tolerance ? "" : $"differs by more than {Tolerance:g2}");
    }
}
