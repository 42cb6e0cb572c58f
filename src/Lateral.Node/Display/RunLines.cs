using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Runs;
using Lateral.Node.Runs;

namespace Lateral.Node.Display;

/// <summary>A run as lines of plain text: what redirected output and log collectors get.</summary>
internal static class RunLines
{
    /// <summary>The batch arithmetic, so that no size is without its unit.</summary>
    public static string Header(RunSettings settings)
    {
        var (rollout, spec) = (settings.Rollout, settings.Rollout.Spec);
        var rollouts = rollout.GroupsPerStep * rollout.GroupSize;
        if (settings.SupervisedOnly)
            return $"run {settings.Name}: task {settings.Task.Name}, supervised only: {StatusPage.Supervised(settings.Warmup)}, answers of {spec.GenLength} tokens in {Words.Many(spec.Blocks, "block")}"
                + (settings.Deterministic ? ", deterministic" : "") + $", seed {settings.Seed}";
        return $"run {settings.Name}: task {settings.Task.Name}, {settings.Steps} steps of {rollout.GroupsPerStep} prompts x {rollout.GroupSize} rollouts x {spec.GenLength} tokens "
            + $"({Words.Count(rollouts)} rollouts, {Words.Count((double)rollouts * spec.GenLength)} tokens a step, {spec.Steps} denoising steps each), "
            + $"{settings.Algorithm} with {settings.Learner.Correction.Name} and {settings.Learner.Advantage}, staleness up to {settings.MaxStaleness}"
            + (settings.Deterministic ? ", deterministic" : "") + $", seed {settings.Seed}";
    }

    public static string Warmup(WarmupProgress warmup, TimeSpan? remaining) =>
        $"warm-up {warmup.Step}/{warmup.Steps}  loss {Words.Fixed(warmup.Loss, 3)}  {Words.Duration(TimeSpan.FromSeconds(warmup.Seconds))}"
        + (remaining is { } left ? $"  ETA {Words.Duration(left)}" : "");

    /// <summary>Example: <c>step 12/240  reward 0.41 ±0.32  stale 1.8 (max 2)  ratio 1.00  ess 0.98 ... 2,310 tok/s  ETA 1m 4s</c>.</summary>
    public static string Step(StepReport report, int steps, TimeSpan? remaining)
    {
        var m = report.Metrics;
        var line = new StringBuilder($"step {report.Step}/{steps}");
        Add("reward", "reward/mean", v => Words.Fixed(v, 3), "reward/std", v => $" ±{Words.Fixed(v)}");
        Add("stale", "staleness/mean", v => Words.Fixed(v, 1), "staleness/max", v => $" (max {v.ToString("0", CultureInfo.InvariantCulture)})");
        Add("ratio", "ratio/mean", v => Words.Fixed(v, 3));
        Add("ess", "ratio/ess", v => Words.Fixed(v));
        Add("kl", "kl/behaviour", v => Words.Fixed(v, 4));
        Add("entropy", "entropy/reveal", v => Words.Fixed(v));
        Add("denoise", "denoise/steps_mean", v => Words.Fixed(v, 1));
        Add("grad", "optim/grad_norm", v => Words.Fixed(v));
        Add("lr", "optim/lr", Words.Rate);
        Add("pass@1", "eval/pass_at_1", v => Words.Fixed(v, 3));
        if (m.TryGetValue("rate/tokens_per_second", out var rate)) line.Append($"  {Words.Count(rate)} tok/s");
        Add("wait-batch", "time/wait_for_batch", v => $"{Words.Fixed(v)}s");
        Add("wait-policy", "time/wait_for_policy", v => $"{Words.Fixed(v)}s");
        if (m.TryGetValue("optim/rolled_back_to", out var origin)) line.Append($"  FROM STEP {Words.Count(origin)} (rolled back)");
        if (report.Skipped) line.Append("  SKIPPED (gradient not finite)");
        if (remaining is { } left) line.Append($"  ETA {Words.Duration(left)}");
        return line.ToString();

        void Add(string label, string key, Func<double, string> text, string? second = null, Func<double, string>? secondText = null)
        {
            if (!m.TryGetValue(key, out var value)) return;
            line.Append("  ").Append(label).Append(' ').Append(text(value));
            if (second is not null && m.TryGetValue(second, out var beside)) line.Append(secondText!(beside));
        }
    }

    /// <summary>Example: <c>evaluation at step 0: sampled pass@1 26.1%, greedy 34.0%, pass@8 68.2% (2,048 prompts, 3.1s)</c>.</summary>
    public static string Evaluation(EvaluationPoint point, int samples)
    {
        var parts = new List<string>();
        if (point.Metrics.TryGetValue("eval/pass_at_1", out var sampled)) parts.Add($"sampled pass@1 {Words.Percent(sampled)}");
        if (point.Metrics.TryGetValue("eval/greedy", out var greedy)) parts.Add($"greedy {Words.Percent(greedy)}");
        if (point.Metrics.TryGetValue("eval/pass_at_k", out var any)) parts.Add($"pass@{samples} {Words.Percent(any)}");
        if (Vote(point) is { } vote) parts.Add($"{vote.Label} {Words.Percent(vote.Value)}");
        var prompts = point.Metrics.TryGetValue("eval/prompts", out var count) ? $"{Words.Count(count)} prompts" : "";
        var seconds = point.Metrics.TryGetValue("eval/seconds", out var time) ? $", {Words.Fixed(time, 1)}s" : "";
        return $"evaluation at step {point.Step}: {string.Join(", ", parts)}" + (prompts.Length > 0 ? $" ({prompts}{seconds})" : "");
    }

    /// <summary>What the majority of so many samples answered: <c>("vote@8", 0.71)</c>; null where none voted.</summary>
    public static (string Key, string Label, double Value)? Vote(EvaluationPoint point) =>
        point.Metrics.Keys.FirstOrDefault(key => key.StartsWith(EvaluationPoint.VoteMetric, StringComparison.Ordinal)) is { } key
            ? (key, $"vote@{key[EvaluationPoint.VoteMetric.Length..]}", point.Metrics[key])
            : null;

    /// <summary>Example: <c>pass@k  1: 26.1%  2: 38.0%  4: 52.9%  8: 68.2%</c>.</summary>
    public static string PassAtK(EvaluationPoint point, int samples)
    {
        var line = new StringBuilder("pass@k");
        for (var k = 1; k <= samples; k *= 2) line.Append(CultureInfo.InvariantCulture, $"  {k}: {Words.Percent(point.Metrics[$"eval/pass_at_{k}"])}");
        return line.ToString();
    }

    /// <summary>Tokens of an answer whose steps fit a line.</summary>
    private const int ShownSteps = 32;

    private const int ShownCharacters = 160;

    /// <summary>Example: <c>31415 -> 11345  reward 1  revealed at 0 2 1 1 0</c>; of a long answer the begin, and how many steps it took.</summary>
    public static string Sample(SampleView sample) =>
        $"{Excerpt.Of(sample.Prompt, ShownCharacters)} -> {Excerpt.Of(sample.Completion, ShownCharacters)}"
        + (sample.Reward is { } reward ? $"  reward {Words.Rate(reward)}" : "")
        + (sample.Pieces.Length > ShownSteps
            ? $"  {sample.Pieces.Length} tokens in {sample.Steps} steps"
            : $"  revealed at {string.Join(' ', sample.Pieces.Select(piece => piece.Step < 0 ? "-" : piece.Step.ToString(CultureInfo.InvariantCulture)))}");

    /// <summary>The chain, and advice where something is wrong: a run that works needs none on its own console.</summary>
    public static string Why(Diagnosis diagnosis) => (diagnosis.Verdict == Verdict.Working ? diagnosis with { Advice = [] } : diagnosis).Line;
}
