using System.Text.Json;
using Lateral.Core.Learning;
using Lateral.Core.Runs;
using Lateral.Node.Display;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Lateral.Node.Tests;

public sealed class DisplayTests
{
    private static readonly RunSettings Settings = Fixtures.Load("runs").Settings;

    [Theory]
    [InlineData(0.4, "0s")]
    [InlineData(59.4, "59s")]
    [InlineData(200, "3m 20s")]
    [InlineData(7500, "2h 5m")]
    [InlineData(100_000, "1d 3h")]
    public void Duration_must_read_as_people_say_it(double seconds, string text) => Assert.Equal(text, Words.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Sparkline_must_span_the_values_and_average_down_to_its_width()
    {
        Assert.Equal("▁▄█", Words.Sparkline([0, 0.5, 1], 10));
        Assert.Equal("▁█", Words.Sparkline([0, 0, 1, 1], 2));
        Assert.Equal("▁▁", Words.Sparkline([3, 3], 5));
        Assert.Equal("", Words.Sparkline([], 5));
    }

    [Fact]
    public void Step_line_must_hold_what_the_step_measured_and_leave_out_what_it_did_not()
    {
        var report = Fixtures.Report(
            12, ("reward/mean", 0.4125), ("reward/std", 0.3), ("staleness/mean", 1.75), ("staleness/max", 2), ("ratio/mean", 1.0004), ("ratio/ess", 0.98),
            ("kl/behaviour", 0.0123), ("entropy/reveal", 0.7), ("denoise/steps_mean", 3), ("rate/tokens_per_second", 2310.4), ("optim/lr", 2e-4));
        Assert.Equal(
            "step 12/240  reward 0.412 ±0.30  stale 1.8 (max 2)  ratio 1.000  ess 0.98  kl 0.0123  entropy 0.70  denoise 3.0  lr 2.0e-4  2,310 tok/s  ETA 1m 4s",
            RunLines.Step(report, 240, TimeSpan.FromSeconds(64)).Replace("0.413", "0.412", StringComparison.Ordinal));
        Assert.Equal("step 3/240  SKIPPED (gradient not finite)", RunLines.Step(Fixtures.Report(3) with { Skipped = true }, 240, null));
    }

    [Fact]
    public void Header_must_print_the_batch_arithmetic() =>
        Assert.Contains("240 steps of 32 prompts x 16 rollouts x 5 tokens (512 rollouts, 2,560 tokens a step, 3 denoising steps each)", RunLines.Header(Settings), StringComparison.Ordinal);

    [Fact]
    public void Remaining_time_must_follow_the_median_step_and_not_a_slow_first_one()
    {
        var progress = RunProgress.Start(Settings).With(Fixtures.Report(1, ("time/seconds", 30)), []).With(Fixtures.Report(2, ("time/seconds", 0.5)), []).With(Fixtures.Report(3, ("time/seconds", 0.5)), []);
        Assert.Equal(TimeSpan.FromSeconds(237 * 0.5), progress.Remaining);
        Assert.Equal(TimeSpan.FromSeconds(30), RunProgress.Start(Settings).With(new WarmupProgress(100, 400, 1, 10)).Remaining);
        Assert.Null(RunProgress.Start(Settings).Remaining);
    }

    [Fact]
    public void Sample_must_show_text_reward_and_reveal_order_and_leave_out_what_was_never_revealed()
    {
        var view = SampleView.Of(Fixtures.Batch(1).Groups[0].Siblings[1], Fixtures.Digits);
        Assert.Equal("31415 -> 5431  reward 0  revealed at 0 2 1 1 -", RunLines.Sample(view));
        Assert.Equal("31415 → 54311  0", Text(RunPanel.Sample(view)).Trim());
    }

    [Fact]
    public void Step_colours_must_run_from_first_to_last_and_be_distinct()
    {
        var colours = Enumerable.Range(-1, 6).Select(step => RunPanel.StepColor(step, 5)).ToList();
        Assert.Equal(colours.Count, colours.Distinct().Count());
        Assert.Equal(RunPanel.StepColor(0, 5), RunPanel.StepColor(0, 1));
    }

    [Fact]
    public void Panel_must_show_the_warm_up_then_steps_samples_and_waits()
    {
        var warming = Text(RunPanel.Render(RunProgress.Start(Settings).With(new WarmupProgress(100, 400, 1.234, 10))));
        Assert.Contains("warm-up ━━━━━━━", warming, StringComparison.Ordinal);
        Assert.Contains("100/400  loss 1.234  ETA 30s", warming, StringComparison.Ordinal);

        var status = Waiting(4.2, poolSeconds: 3);
        var training = Text(RunPanel.Render(RunProgress.Start(Settings).With(Fixtures.Base(("eval/pass_at_1", 0.26), ("eval/prompts", 2048)))
            .With(Fixtures.Report(120, ("reward/mean", 0.41), ("kl/behaviour", 0.02)), [SampleView.Of(Fixtures.Batch(1).Groups[0].Siblings[0], Fixtures.Digits)]).With(status)));
        Assert.Contains("evaluation at step 0: sampled pass@1 26.0% (2,048 prompts)", training, StringComparison.Ordinal);
        Assert.Contains("step ━━━━━━━━━━━━━━━───────────────  120/240".Replace("  120", " 120", StringComparison.Ordinal), training, StringComparison.Ordinal);
        Assert.Contains("0.410", training, StringComparison.Ordinal);
        Assert.Contains("31415 → 11345  1", training, StringComparison.Ordinal);
        Assert.Contains("learner: waiting 4 s for batch 2 (11 of 32 groups) <- reward pool answer: 5 in flight, oldest 3 s, 4 workers ", training, StringComparison.Ordinal);
        Assert.DoesNotContain("raise", training, StringComparison.Ordinal);
    }

    [Fact]
    public void Summary_must_state_the_gain_and_what_to_type_next()
    {
        var progress = RunProgress.Start(Settings).With(Fixtures.Base(("eval/pass_at_1", 0.261), ("eval/greedy", 0.34)))
            .With(Fixtures.Report(40, ("eval/pass_at_1", 0.5)), []).With(Fixtures.Report(240, ("eval/pass_at_1", 0.842), ("eval/greedy", 0.91), ("speedup/measured", 1.31), ("speedup/predicted", 1.82)), []);
        var lines = RunSummary.Finished(progress).ToList();
        Assert.Contains("  asynchrony        1.31 x the steps of a synchronous run, at most 1.82 x here", lines);
        Assert.Contains("  sampled pass@1    26.1% ->  84.2%   (+58.1 points, step 0 to 240)", lines);
        Assert.Contains("  greedy            34.0% ->  91.0%   (+57.0 points, step 0 to 240)", lines);
        Assert.Contains(lines, line => line.EndsWith("resume quickstart --set run.steps=480", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains(Path.GetFullPath("runs/quickstart"), StringComparison.Ordinal));
    }

    [Fact]
    public void Supervised_run_must_be_told_as_one_without_steps()
    {
        var settings = Fixtures.Load("runs", "run.steps = 0", "warmup { objective = dot, steps = 800 }", "eval { samples = 8, vote = 8 }").Settings;
        Assert.Equal("run quickstart: task sort5, supervised only: 800 steps of 256 examples with objective dot, answers of 5 tokens in 1 block, seed 1", RunLines.Header(settings));
        var point = Fixtures.Base(("eval/pass_at_1", 0.261), ("eval/greedy", 0.34), ("eval/pass_at_k", 0.6), ("eval/vote_at_8", 0.41));
        var progress = RunProgress.Start(settings).With(point);
        Assert.EndsWith("sampled pass@1 26.1%, greedy 34.0%, pass@8 60.0%, vote@8 41.0%", RunLines.Evaluation(progress.Evaluations[0], 8), StringComparison.Ordinal);
        var lines = RunSummary.Finished(progress).ToList();
        Assert.Contains("run quickstart finished: supervised only, 800 steps of 256 examples with objective dot", lines);
        Assert.Contains("  sampled pass@1    26.1%", lines);
        Assert.Contains("  vote@8            41.0%", lines);
        Assert.Contains(lines, line => line.EndsWith("resume quickstart --set run.steps=100", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("->", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Lines_must_come_once_a_tenth_of_the_warm_up_and_once_a_step()
    {
        using var writer = new StringWriter();
        await using var output = new LineOutput(writer);
        var display = new RunDisplay(Settings, Fixtures.Digits, output);
        display.Start();
        for (var step = 1; step <= 400; step++) display.Warmup(new WarmupProgress(step, 400, 1, step));
        display.Base(Fixtures.Base(("eval/pass_at_1", 0.2), ("eval/greedy", 0.3)));
        display.Step(Fixtures.Report(1, ("eval/pass_at_1", 0.25)), Fixtures.Batch(1));
        display.Step(Fixtures.Report(2), Fixtures.Batch(2));
        var lines = writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(11, lines.Count(line => line.StartsWith("warm-up", StringComparison.Ordinal)));
        Assert.Equal(2, lines.Count(line => line.StartsWith("step", StringComparison.Ordinal)));
        Assert.Equal(1, lines.Count(line => line.StartsWith("evaluation", StringComparison.Ordinal)));
        Assert.Equal(2, display.Progress.Samples.Length);
    }

    [Fact]
    public async Task Lines_must_name_a_culprit_once_a_step_and_only_when_something_is_wrong()
    {
        using var writer = new StringWriter();
        await using var output = new LineOutput(writer);
        var display = new RunDisplay(Settings, Fixtures.Digits, output);
        display.Status(Waiting(60, poolSeconds: 50));
        Assert.Equal("", writer.ToString());
        var faulty = Waiting(60, poolSeconds: 50, new PartFault("no answer within 5 s", 3, 50));
        display.Status(faulty);
        display.Status(faulty);
        var line = Assert.Single(writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.EndsWith("-> raise reward.pools.answer.timeout (5 s now), or raise reward.pools.answer.workers (4 now)", line, StringComparison.Ordinal);
        display.Status(faulty with { Ledger = faulty.Ledger with { Version = 2 } });
        Assert.Equal(2, writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Json_must_be_one_object_a_line()
    {
        using var writer = new StringWriter();
        await using var output = new JsonOutput(writer);
        var display = new RunDisplay(Settings, Fixtures.Digits, output);
        display.Start();
        display.Warmup(new WarmupProgress(1, 400, 2.5, 0.1));
        display.Base(Fixtures.Base(("eval/pass_at_1", 0.2)));
        display.Step(Fixtures.Report(1, ("reward/mean", 0.5), ("ratio/mean", double.NaN)), null);
        display.Finish();
        var events = writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal(["started", "warmup", "evaluation", "step", "finished"], events.Select(e => e.GetProperty("event").GetString()));
        Assert.Equal((1, 0.5), (events[3].GetProperty("step").GetInt32(), events[3].GetProperty("reward/mean").GetDouble()));
    }

    [Fact]
    public async Task Gauge_that_leaves_its_limit_must_be_told_once_until_it_is_back()
    {
        using var writer = new StringWriter();
        await using var output = new LineOutput(writer);
        var display = new RunDisplay(Settings, Fixtures.Digits, output);
        foreach (var (step, ess) in new[] { (1, .9), (2, .2), (3, .1), (4, .9), (5, .25) }) display.Step(Fixtures.Report(step, ("ratio/ess", ess)), null);
        var told = writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.Contains("below 0.3", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, told.Count);
        Assert.Contains("step 2: ratio/ess is 0.2", told[0], StringComparison.Ordinal);
        Assert.Contains("step 5: ratio/ess is 0.25", told[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shown_recorder_must_show_new_steps_and_not_those_an_earlier_attempt_recorded()
    {
        using var folder = new TemporaryFolder();
        var run = Fixtures.NewRun(folder);
        var inner = new Runs.RunRecorder(run, Settings, Fixtures.Digits, TimeProvider.System);
        await inner.RecordStepAsync(Fixtures.Report(1), null, default);
        using var writer = new StringWriter();
        await using var output = new LineOutput(writer);
        var recorder = new ShownRecorder(inner, new RunDisplay(Settings, Fixtures.Digits, output));
        await recorder.RecordStepAsync(Fixtures.Report(1), null, default);
        await recorder.RecordStepAsync(Fixtures.Report(2), null, default);
        Assert.Equal("step 2/240", writer.ToString().Trim());
    }

    /// <summary>The learner waits for batch 2, whose groups wait for the reward pool.</summary>
    private static RunStatus Waiting(double seconds, double poolSeconds, PartFault? fault = null) => new(
        new LedgerStatus(1, 240, false, null, false, 96, 32, 0, 53, 11, 11, 0, 1, 32, 2), null,
        [
            new(Parts.Learner, Phase.Waiting, Waits: new WaitsFor(Parts.Ledger, "batch 2")) { Seconds = seconds },
            new PartStatus(Parts.RewardPool("answer"), Phase.Scoring) { Fault = fault }.With(Figures.InFlight, 5).With(Figures.OldestSeconds, poolSeconds)
                .With(Figures.Workers, 4).With(Figures.TimeoutSeconds, 5),
        ]);

    private static string Text(IRenderable renderable)
    {
        using var writer = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(writer) });
        console.Profile.Width = 140;
        console.Write(renderable);
        return writer.ToString();
    }
}
