using Lateral.Core.Runs;
using Lateral.Node.Runs;

namespace Lateral.Node.Display;

/// <summary>The last thing a command prints about a run: the gain, where everything is, and what to type next.</summary>
internal static class RunSummary
{
    /// <param name="progress">of a node: who trains knows what was gained, who owns the run where everything is</param>
    public static IEnumerable<string> Finished(RunProgress progress)
    {
        var settings = progress.Settings;
        yield return "";
        yield return $"run {settings.Name} finished: {(settings.SupervisedOnly ? $"supervised only, {StatusPage.Supervised(settings.Warmup)}" : $"{settings.Steps} steps")}";
        foreach (var line in Gain(progress)) yield return line;
        if (Asynchrony(progress) is { } asynchrony) yield return asynchrony;
        foreach (var sample in progress.Samples.IsDefaultOrEmpty ? [] : progress.Samples) yield return $"  {RunLines.Sample(sample)}";
        if (!progress.OwnsRun) yield break;
        yield return "";
        yield return $"  everything is in   {Path.GetFullPath(settings.Directory)}";
        yield return $"  inspect            {Commands.Show(settings)}";
        yield return $"  try it             {Commands.Sample(settings)}";
        yield return $"  evaluate again     {Commands.Evaluate(settings)}";
        yield return settings.SupervisedOnly
            ? $"  reinforce it       {Commands.Resume(settings)} --set run.steps=100"
            : $"  go on for longer   {Commands.Resume(settings)} --set run.steps={settings.Steps * 2}";
    }

    public static IEnumerable<string> Interrupted(RunSettings settings, int step)
    {
        yield return "";
        yield return $"run {settings.Name} stopped and saved at step {step}/{settings.Steps}";
        yield return $"  go on with         {Commands.Resume(settings)}";
    }

    /// <summary>By the median of the last steps: some hold an evaluation.</summary>
    private static string? Asynchrony(RunProgress progress)
    {
        if (progress.Settings.MaxStaleness == 0 || progress.Speedups.IsEmpty) return null;
        var middle = progress.Speedups.Count / 2;
        var (measured, predicted) = (progress.Speedups.Select(s => s.Measured).Order().ElementAt(middle), progress.Speedups.Select(s => s.Predicted).Order().ElementAt(middle));
        return $"  asynchrony        {Words.Fixed(measured, 2)} x the steps of a synchronous run, at most {Words.Fixed(predicted, 2)} x here";
    }

    /// <summary>Before and after, for each measure both evaluations have; where nothing was reinforced there is one evaluation, and what it found.</summary>
    private static IEnumerable<string> Gain(RunProgress progress)
    {
        if (progress.Evaluations.IsEmpty) yield break;
        var ordered = progress.Evaluations.OrderBy(point => point.Step).ToList();
        var (first, last) = (ordered[0], ordered[^1]);
        var measures = new List<(string, string)> { ("eval/pass_at_1", "sampled pass@1"), ("eval/greedy", "greedy"), ("eval/pass_at_k", $"pass@{progress.Settings.Evaluation.Samples}") };
        if (RunLines.Vote(last) is { } vote) measures.Add((vote.Key, vote.Label));
        foreach (var (key, label) in measures)
        {
            if (!last.Metrics.TryGetValue(key, out var after)) continue;
            if (ordered.Count == 1) yield return $"  {label,-16} {Words.Percent(after),6}";
            else if (first.Metrics.TryGetValue(key, out var before))
                yield return $"  {label,-16} {Words.Percent(before),6} -> {Words.Percent(after),6}   ({(after >= before ? "+" : "")}{Words.Fixed((after - before) * 100, 1)} points, step {first.Step} to {last.Step})";
        }
    }
}
