using System.Globalization;
using System.Text;
using System.Text.Json;
using Lateral.Core.Learning;
using Lateral.Core.Runs;

namespace Lateral.Node.Runs;

/// <summary>STATUS.md: where a run stands, for whoever opens its directory.</summary>
internal static class StatusPage
{
    private static readonly string[] Shown =
        ["reward/mean", "reward/std", "staleness/mean", "ratio/ess", "kl/behaviour", "entropy/reveal", "rate/tokens_per_second", "optim/lr", "time/elapsed"];

    /// <param name="last">the last line of metrics.jsonl; null before the first step</param>
    public static string Render(RunSettings settings, JsonElement? last, IReadOnlyList<JsonElement> evaluations)
    {
        var step = last?.GetProperty("step").GetInt32() ?? 0;
        var page = new StringBuilder();
        page.Append("# Run ").Append(settings.Name).Append("\n\n");
        var where = settings.SupervisedOnly
            ? $"Supervised only, {Supervised(settings.Warmup)}{(evaluations.Count > 0 ? ": finished" : "")}"
            : $"Step {step} of {settings.Steps}{(step >= settings.Steps ? ", finished" : "")}";
        page.Append(CultureInfo.InvariantCulture, $"{where}. Task {settings.Task.Name}, seed {settings.Seed}.");
        if (settings.ForkedFrom is { } parent) page.Append(CultureInfo.InvariantCulture, $" Forked from {parent}; its prompts begin at {settings.FirstPrompt}.");
        page.Append("\n\n");
        if (last is { } metrics) Table(page, ["metric", "value"], Shown.Where(key => metrics.TryGetProperty(key, out _)).Select(key => new[] { key, Number(metrics.GetProperty(key)) }));
        Table(page, ["evaluated at step", "sampled pass@1", "greedy", $"pass@{settings.Evaluation.Samples}"], evaluations.Select(point => new[]
        {
            Number(point.GetProperty("step")), Value(point, "eval/pass_at_1"), Value(point, "eval/greedy"), Value(point, "eval/pass_at_k"),
        }));
        page.Append("Commands:\n\n");
        foreach (var command in new[] { Commands.Resume(settings), Commands.Show(settings), Commands.Sample(settings), Commands.Evaluate(settings), Commands.Verify(settings) })
            page.Append("    ").Append(command).Append('\n');
        return page.ToString();
    }

    /// <summary>Example: <c>800 steps of 256 examples with objective dot</c>.</summary>
    public static string Supervised(WarmupSettings warmup) =>
        string.Create(CultureInfo.InvariantCulture, $"{warmup.Steps:N0} steps of {warmup.Batch:N0} examples with objective {warmup.Objective.Name}");

    private static void Table(StringBuilder page, string[] head, IEnumerable<string[]> rows)
    {
        var lines = rows.ToList();
        if (lines.Count == 0) return;
        page.Append("| ").AppendJoin(" | ", head).Append(" |\n|").Append(string.Concat(head.Select(_ => "---|"))).Append('\n');
        foreach (var row in lines) page.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        page.Append('\n');
    }

    private static string Value(JsonElement point, string key) => point.TryGetProperty(key, out var value) ? Number(value) : "";

    private static string Number(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number ? value.GetDouble().ToString("0.####", CultureInfo.InvariantCulture) : "-";
}
