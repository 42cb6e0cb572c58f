using System.Text.Json;
using Lateral.Diffusion.Likelihoods;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class PlackettLuceTests
{
    /// <summary>Log-probability and gradient by the scores of one draw.</summary>
    private static (double LogProb, float[] Gradient) Device(double[] scores, int[] drawn, int absent = 0)
    {
        using var scope = NewDisposeScope();
        int[] arranged = [.. drawn, .. Enumerable.Range(0, scores.Length).Except(drawn)];
        var values = tensor(arranged.Select(candidate => (float)scores[candidate]).Concat(Enumerable.Repeat(7f, absent)).ToArray()).view(1, -1);
        values.requires_grad = true;
        var present = tensor(Enumerable.Range(0, scores.Length + absent).Select(c => c < scores.Length).ToArray()).view(1, -1);
        var picked = tensor(Enumerable.Range(0, scores.Length + absent).Select(c => c < drawn.Length ? 1f : 0).ToArray()).view(1, -1);
        var logProb = PlackettLuce.LogProbs(values, present, picked);
        logProb.sum().backward();
        return (logProb.item<float>(), values.grad!.data<float>().ToArray());
    }

    [Fact]
    public void Log_prob_must_equal_the_reference_implementations()
    {
        using var fixture = JsonDocument.Parse(File.ReadAllText(Path.Combine(Fixture.Root, "policies", "plackett-luce.json")));
        var root = fixture.RootElement;
        for (var row = 0; row < root.GetProperty("scores").GetArrayLength(); row++)
        {
            // The reference keeps all positions and masks those that are no candidates.
            var candidates = root.GetProperty("candidates")[row].EnumerateArray().Index().Where(pair => pair.Item.GetBoolean()).Select(pair => pair.Index).ToArray();
            var scores = candidates.Select(position => root.GetProperty("scores")[row][position].GetDouble()).ToArray();
            var drawn = root.GetProperty("order")[row].EnumerateArray().Select(position => Array.IndexOf(candidates, position.GetInt32())).ToArray();
            var expected = root.GetProperty("log_prob_brute_force")[row].GetDouble();
            Assert.Equal(expected, PlackettLuce.LogProb(scores, drawn), 1e-6);
            Assert.Equal(expected, Device(scores, drawn).LogProb, 1e-5);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Draws_must_sum_to_one_and_their_mean_score_must_vanish(int count)
    {
        double[] scores = [.3, -1, 2, .1];
        var draws = Orders(4, count).ToList();
        Assert.Equal(1, draws.Sum(draw => Math.Exp(PlackettLuce.LogProb(scores, draw))), 1e-12);
        var mean = new double[4];
        foreach (var draw in draws)
        {
            int[] arranged = [.. draw, .. Enumerable.Range(0, 4).Except(draw)];
            var (logProb, gradient) = Device(scores, draw);
            for (var c = 0; c < 4; c++) mean[arranged[c]] += Math.Exp(logProb) * gradient[c];
        }

        Assert.Equal([0, 0, 0, 0], mean, new NearDouble(1e-6));
    }

    [Fact]
    public void Scores_of_a_hundred_equal_scores_and_absent_candidates_must_stay_finite()
    {
        Assert.Equal(0, Device([100, -100, -100], [0]).LogProb, 1e-5);
        Assert.Equal(-200, Device([100, -100, -100], [1]).LogProb, 1e-3);
        Assert.All(Device([100, -100, 100], [1, 0]).Gradient, slope => Assert.True(float.IsFinite(slope)));
        Assert.Equal(-Math.Log(4 * 3), Device([5, 5, 5, 5], [2, 0]).LogProb, 1e-5);
        // Candidates that are not there change nothing.
        var (with, without) = (Device([.3, -1, 2], [2, 0], absent: 3), Device([.3, -1, 2], [2, 0]));
        Assert.Equal(without.LogProb, with.LogProb, 1e-6);
        Assert.Equal([.. without.Gradient, 0, 0, 0], with.Gradient);
    }

    private static IEnumerable<int[]> Orders(int count, int length) =>
        length == 0 ? [[]] : Orders(count, length - 1).SelectMany(head => Enumerable.Range(0, count).Except(head).Select(next => (int[])[.. head, next]));
}
