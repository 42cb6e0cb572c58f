using System.Globalization;
using Lateral.Core.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Lateral.Node.Display;

/// <summary>A run as a live panel. Pure: the same progress renders the same.</summary>
internal static class RunPanel
{
    public static IRenderable Render(RunProgress progress)
    {
        var rows = new List<IRenderable>();
        if (progress.Warmup is not null) rows.Add(WarmupBar(progress));
        foreach (var point in progress.Evaluations.Take(1).Concat(progress.Evaluations.Skip(1).TakeLast(1)))
            rows.Add(new Text(RunLines.Evaluation(point, progress.Settings.Evaluation.Samples)));
        if (progress.Last is not null)
        {
            rows.Add(StepBar(progress));
            rows.Add(Metrics(progress));
        }

        if (!progress.Samples.IsDefaultOrEmpty) rows.Add(Samples(progress.Samples));
        if (progress.Diagnosis is { } diagnosis) rows.Add(new Text(RunLines.Why(diagnosis), new Style(diagnosis.Verdict == Verdict.Stuck ? Color.Yellow : Color.Grey)));
        if (rows.Count == 0) rows.Add(new Text("starting", new Style(Color.Grey)));
        return new Panel(new Rows(rows)) { Header = new PanelHeader($" {progress.Settings.Name.EscapeMarkup()} "), Border = BoxBorder.Rounded, Expand = true };
    }

    /// <summary>Tokens coloured by the denoising step that revealed them, from first (blue) to last (yellow).</summary>
    public static IRenderable Sample(SampleView sample)
    {
        var line = new Paragraph().Append(sample.Prompt, new Style(Color.Grey)).Append(" → ");
        foreach (var (text, step) in sample.Pieces) line.Append(text, new Style(StepColor(step, sample.Steps)));
        if (sample.Reward is { } reward) line.Append($"  {Words.Rate(reward)}", new Style(reward > 0 ? Color.Green : Color.Red));
        return line;
    }

    internal static Color StepColor(int step, int steps)
    {
        if (step < 0) return Color.Grey;
        var t = steps <= 1 ? 0 : (double)step / (steps - 1);
        return new Color((byte)(60 + (195 * t)), (byte)(120 + (90 * t)), (byte)(255 - (205 * t)));
    }

    private static IRenderable WarmupBar(RunProgress progress)
    {
        var warmup = progress.Warmup!;
        return Bar("warm-up", warmup.Step, warmup.Steps, $"loss {Words.Fixed(warmup.Loss, 3)}", progress.Remaining);
    }

    private static IRenderable StepBar(RunProgress progress) =>
        Bar("step", progress.Last!.Step, progress.Settings.Steps, $"reward {Words.Sparkline(progress.Rewards, 30)}", progress.Remaining);

    private static Text Bar(string label, int done, int all, string note, TimeSpan? remaining)
    {
        const int width = 30;
        var filled = all == 0 ? width : Math.Clamp(done * width / all, 0, width);
        var eta = remaining is { } left ? $"  ETA {Words.Duration(left)}" : "";
        return new Text($"{label} {new string('━', filled)}{new string('─', width - filled)} {done}/{all}  {note}{eta}");
    }

    private static Table Metrics(RunProgress progress)
    {
        var metrics = progress.Last!.Metrics;
        var table = new Table { Border = TableBorder.None, ShowHeaders = false };
        for (var i = 0; i < 4; i++) table.AddColumn(new TableColumn("") { NoWrap = true, Padding = new Padding(0, 0, 3, 0) });
        (string Label, string Text)[] cells =
        [
            ("reward", $"{Value("reward/mean", 3)} ±{Value("reward/std", 2)}"), ("groups without spread", Value("reward/frac_zero_std", 2)),
            ("staleness", $"{Value("staleness/mean", 1)} (max {Value("staleness/max", 0)})"), ("ratio", $"{Value("ratio/mean", 3)}, ess {Value("ratio/ess", 2)}"),
            ("kl to behaviour", Value("kl/behaviour", 4)), ("entropy at reveal", Value("entropy/reveal", 2)),
            ("denoising steps", Value("denoise/steps_mean", 1)), ("tokens/s", metrics.TryGetValue("rate/tokens_per_second", out var rate) ? Words.Count(rate) : "-"),
            ("gradient norm", Value("optim/grad_norm", 2)), ("learning rate", metrics.TryGetValue("optim/lr", out var lr) ? Words.Rate(lr) : "-"),
            ("waits for batch", $"{Value("time/wait_for_batch", 2)}s"), ("waits for policy", $"{Value("time/wait_for_policy", 2)}s"),
        ];
        for (var i = 0; i < cells.Length; i += 2)
            table.AddRow(new Text(cells[i].Label, new Style(Color.Grey)), new Text(cells[i].Text), new Text(cells[i + 1].Label, new Style(Color.Grey)), new Text(cells[i + 1].Text));
        return table;

        string Value(string key, int decimals) => metrics.TryGetValue(key, out var value) ? Words.Fixed(value, decimals) : "-";
    }

    private static Rows Samples(IReadOnlyCollection<SampleView> samples)
    {
        var steps = samples.Max(sample => sample.Steps);
        var legend = new Paragraph().Append("revealed at step ", new Style(Color.Grey));
        foreach (var step in Enumerable.Range(0, steps).Where(step => steps <= 8 || step % (steps / 8) == 0))
            legend.Append($" {step.ToString(CultureInfo.InvariantCulture)}", new Style(StepColor(step, steps)));
        return new Rows([legend, .. samples.Select(Sample)]);
    }
}
