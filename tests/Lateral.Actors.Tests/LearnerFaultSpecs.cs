using Lateral.Core.Learning;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

/// <summary>Whole runs whose steps or checkpoints go wrong: what was decided is obeyed by replays, and the ledger balances throughout.</summary>
public sealed class LearnerFaultSpecs : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lateral-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Third_skipped_step_in_a_row_must_roll_back_and_quarantine_its_groups(bool deterministic)
    {
        // checkpoint.every = 2, B = 3: steps 4 to 6 are skipped, the checkpoint before them is that of step 2, and step 3 is undone with them.
        var engines = new TestEngines { Skip = step => step is >= 4 and <= 6 };
        var settings = Settings("run", deterministic);
        var audit = await RunToEndAsync(settings, engines);
        Assert.Equal((15L, 12L, 12L), (audit.Ledger.Trained, audit.Ledger.Filtered, audit.Ledger.Undone));
        Assert.Equal(27L, audit.Ledger.Issued);
        Assert.Equal(Enumerable.Range(1, 9), engines.Recorded);
        var rolled = Assert.Single(RunJournal.Events(settings).OfType<RolledBack>());
        Assert.Equal((7, 2), (rolled.Step, rolled.To.Step));
        var step = engines.Batches.First(batch => batch.Step == 7);
        Assert.Equal(2, step.From!.Step);
        Assert.Equal(Enumerable.Range(1, 9), RunJournal.Events(settings).OfType<StepTrained>().Select(trained => trained.Step));
    }

    [Fact]
    public async Task Step_that_leaves_the_runs_course_must_roll_back_and_the_run_go_on()
    {
        // checkpoint.every = 2: step 7 spikes, the checkpoint before it is that of step 6.
        var engines = new TestEngines { GradientNorm = step => step == 7 ? 1000 : 1 };
        var settings = Settings("run", deterministic: true) with { Spikes = new(SpikeAnswer.RollBack, 10, 3) };
        var audit = await RunToEndAsync(settings, engines);
        var events = RunJournal.Events(settings);
        Assert.StartsWith("step 7: optim/grad_norm is 1E+03", Assert.Single(events.OfType<SpikeSeen>()).Reason, StringComparison.Ordinal);
        var rolled = Assert.Single(events.OfType<RolledBack>());
        Assert.True(rolled is { Step: 8, To.Step: 4 or 6 }, $"{rolled}");
        Assert.Equal((27L, (7L - rolled.To.Step) * 3), (audit.Ledger.Issued, audit.Ledger.Undone));
        Assert.Equal(Enumerable.Range(1, 9), engines.Recorded);
    }

    [Fact]
    public async Task Step_that_leaves_the_runs_course_must_pause_a_run_that_is_told_so()
    {
        var engines = new TestEngines { GradientNorm = step => step == 5 ? 1000 : 1 };
        var settings = Settings("run", deterministic: true) with { Spikes = new(SpikeAnswer.Pause, 10, 3) };
        var failed = await Assert.ThrowsAsync<RunFailedException>(() => RunToEndAsync(settings, engines));
        Assert.Contains("the run is paused: step 5: optim/grad_norm is 1E+03", failed.Message, StringComparison.Ordinal);
        // Whoever resumes has seen it.
        await RunToEndAsync(settings, engines);
        Assert.Equal(Enumerable.Range(1, 9), engines.Recorded);
    }

    [Fact]
    public async Task Replay_must_obey_skipped_steps_and_roll_backs_and_end_in_the_same_weights()
    {
        var whole = new TestEngines { Skip = step => step is >= 4 and <= 6 };
        await RunToEndAsync(Settings("whole", deterministic: true), whole);

        // The learner dies at steps 7 and 8, and those after it find every gradient finite.
        var died = new HashSet<int>();
        var engines = new TestEngines();
        engines.Skip = step => died.Count == 0 && step is >= 4 and <= 6;
        engines.LearnerFault = step => step is 7 or 8 && died.Add(step);
        var audit = await RunToEndAsync(Settings("run", deterministic: true), engines);
        Assert.Equal((2, 0), (audit.Balance.Interruptions, audit.Balance.Divergences));
        Assert.Equal(whole.Checkpoints[9], engines.Checkpoints[9]);
        Assert.True(engines.Batches.Count(batch => batch.Step == 5) > 1);
    }

    [Fact]
    public async Task Corrupt_checkpoint_must_be_passed_over_and_the_steps_since_the_one_before_it_trained_again()
    {
        var whole = new TestEngines();
        await RunToEndAsync(Settings("whole", deterministic: true), whole);

        var died = false;
        var engines = new TestEngines();
        engines.LearnerFault = step => step == 6 && !died && (died = true);
        engines.Corrupt = step => died && step == 4;
        var settings = Settings("run", deterministic: true);
        var audit = await RunToEndAsync(settings, engines);
        Assert.Equal(0, audit.Balance.Divergences);
        Assert.Equal(whole.Checkpoints[9], engines.Checkpoints[9]);
        var lost = Assert.Single(RunJournal.Events(settings).OfType<CheckpointLost>());
        Assert.Equal(4, lost.Checkpoint.Step);
        Assert.Contains("going on from step 2", lost.Reason, StringComparison.Ordinal);
        Assert.Equal(2, engines.Batches.Count(batch => batch.Step == 3));
        Assert.Equal(Enumerable.Range(1, 9), engines.Recorded);
    }

    [Fact]
    public async Task Run_that_skips_on_after_a_roll_back_must_pause_end_with_the_reason_and_go_on_when_resumed()
    {
        var engines = new TestEngines { Skip = step => step >= 3 };
        var settings = Settings("run", deterministic: false);
        await using (var host = await RunHost.StartAsync(settings, engines.ToRunEngines()))
        {
            var paused = await Assert.ThrowsAsync<RunFailedException>(() => host.Completion.WaitAsync(TimeSpan.FromSeconds(60)));
            Assert.Contains("6 steps in a row was not finite, also after a roll back", paused.Message, StringComparison.Ordinal);
            Assert.False(paused.Environment);
        }

        Assert.Single(RunJournal.Events(settings).OfType<RunPaused>());
        engines.Skip = _ => false;
        var audit = await RunToEndAsync(settings, engines);
        Assert.True(audit.Ledger.Finished);
        Assert.Single(RunJournal.Events(settings).OfType<RunResumed>());
        Assert.Equal(0, audit.Balance.Divergences);
    }

    private RunSettings Settings(string name, bool deterministic) =>
        TestEngines.Settings(Directory.CreateDirectory(Path.Combine(_directory, name)).FullName, steps: 9, deterministic: deterministic);

    private static async Task<AuditReport> RunToEndAsync(RunSettings settings, TestEngines engines)
    {
        await using (var host = await RunHost.StartAsync(settings, engines.ToRunEngines()))
        {
            await host.Completion.WaitAsync(TimeSpan.FromSeconds(60));
        }

        var audit = JournalAudit.Run(settings);
        Assert.Empty(audit.Violations);
        return audit;
    }
}
