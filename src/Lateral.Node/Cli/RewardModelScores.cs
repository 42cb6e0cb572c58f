using System.Text.Json;
using Lateral.Diffusion.RewardModels;
using Lateral.Node.Composition;
using Lateral.Node.Display;

namespace Lateral.Node.Cli;

/// <summary>One <c>reward-model score</c>: both rewards of every pair, and how many are in order.</summary>
internal static class RewardModelScores
{
    /// <param name="loadTorch">last, because everything else that can be wrong is found faster</param>
    public static async Task PrintAsync(Terminal terminal, string folder, string file, string device, int batch, Action loadTorch, bool json, CancellationToken cancellation)
    {
        var tokens = RewardTokens.In(folder, "DIR");
        var spec = ModelFolder.Explain("DIR", () => Diffusion.Models.ModelStore.ReadSpec(folder));
        var data = PreferenceData.Read(file, tokens, spec.MaxLength);
        loadTorch();
        await using var scorer = await RewardScorer.OpenAsync(folder, device, batch);
        var chosen = await Task.WhenAll(data.Pairs.Select(pair => scorer.ScoreAsync(pair.Chosen, cancellation)));
        var rejected = await Task.WhenAll(data.Pairs.Select(pair => scorer.ScoreAsync(pair.Rejected, cancellation)));
        foreach (var (row, i) in data.Rows.Select((row, i) => (row, i)))
        {
            terminal.Out.WriteLine(json
                ? JsonSerializer.Serialize(new { row.Line, Chosen = chosen[i], Rejected = rejected[i] }, JsonSerializerOptions.Web)
                : $"{file}:{row.Line}  chosen {Words.Fixed(chosen[i], 4)}  rejected {Words.Fixed(rejected[i], 4)}{(chosen[i] > rejected[i] ? "" : chosen[i] == rejected[i] ? "  equal" : "  wrong")}");
        }

        var fit = PreferenceFit.Of([.. chosen.Select(reward => (float)reward)], [.. rejected.Select(reward => (float)reward)], [.. data.Pairs.Select(pair => pair.Margin)]);
        terminal.Out.WriteLine(json
            ? JsonSerializer.Serialize(fit, JsonSerializerOptions.Web)
            : $"accuracy {Words.Fixed(fit.Accuracy, 3)} of {Words.Many(fit.Pairs, "pair")}, loss {Words.Fixed(fit.Loss, 4)}, rewards {Words.Fixed(fit.Mean, 3)} on average, deviation {Words.Fixed(fit.Deviation, 3)}");
    }
}
