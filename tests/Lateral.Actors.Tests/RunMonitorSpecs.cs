using Lateral.Actors.Runs;
using Lateral.Core.Runs;
using Microsoft.Extensions.Time.Testing;
using static Lateral.Actors.Runs.RunProtocol;

namespace Lateral.Actors.Tests;

/// <summary>What is remembered of what the parts say, by a clock that the tests turn.</summary>
public sealed class RunMonitorSpecs
{
    private static readonly RunSettings Settings = TestEngines.Settings("");
    private static readonly string Sampler = Parts.Sampler("127.0.0.1/cpu");

    private readonly FakeTimeProvider _time = new();
    private readonly JournalGauge _journal;

    public RunMonitorSpecs() => _journal = new JournalGauge(_time);

    [Fact]
    public void Part_that_never_spoke_must_be_there_as_starting_and_grow_silent()
    {
        var monitor = Start();
        _time.Advance(TimeSpan.FromSeconds(12));
        var sampler = monitor.Status().Part(Sampler)!;
        Assert.Equal((Phase.Starting, 12, 12), (sampler.Phase, sampler.Seconds, sampler.SilentSeconds));
        Assert.Equal(["dispatcher", "journal", "learner", "ledger", "reward pool answer", Sampler], monitor.Status().Parts.Select(part => part.Part));
    }

    [Fact]
    public void Phase_must_last_until_another_phase_subject_or_wait_and_silence_until_the_next_word()
    {
        var monitor = Start();
        monitor.Note(new PartStatus(Parts.Learner, Phase.Training, "step 3"));
        _time.Advance(TimeSpan.FromSeconds(4));
        monitor.Note(new PartStatus(Parts.Learner, Phase.Training, "step 3").With(Figures.Done, 1));
        _time.Advance(TimeSpan.FromSeconds(2));
        var learner = monitor.Status().Part(Parts.Learner)!;
        Assert.Equal((6, 2, 1), (learner.Seconds, learner.SilentSeconds, learner.Figure(Figures.Done)));
        monitor.Note(new PartStatus(Parts.Learner, Phase.Training, "step 4"));
        Assert.Equal(0, monitor.Status().Part(Parts.Learner)!.Seconds);
        monitor.Note(new PartStatus(Parts.Learner, Phase.Waiting, Waits: new WaitsFor(Parts.Ledger, "batch 5")));
        _time.Advance(TimeSpan.FromSeconds(1));
        monitor.Note(new PartStatus(Parts.Learner, Phase.Waiting, Waits: new WaitsFor(Parts.Ledger, "batch 5")));
        Assert.Equal(1, monitor.Status().Part(Parts.Learner)!.Seconds);
    }

    [Fact]
    public void Run_must_fail_only_after_a_part_failed_again_and_again_without_progress()
    {
        var monitor = Start();
        for (var i = 0; i < RunMonitor.MaxFailures - 1; i++) monitor.Note(new PartFailed(Parts.Learner, new RunFailure("device lost", false)));
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Null(monitor.Status().Failed);
        Assert.Equal(new PartFault("device lost", 4, 3), monitor.Status().Part(Parts.Learner)!.Fault);
        monitor.Note(new PartFailed(Parts.Learner, new RunFailure("device lost", false)));
        Assert.Equal("learner failed 5 times without progress: device lost", monitor.Status().Failed!.Reason);
    }

    [Fact]
    public void Sampler_that_is_given_up_must_be_told_once_and_only_the_last_one_must_fail_the_run()
    {
        var (monitor, other) = (Start(), Parts.Sampler("b/cpu"));
        monitor.Note(new PartStatus(other, Phase.Sampling));
        for (var i = 0; i < 2 * RunMonitor.MaxFailures; i++) monitor.Note(new PartFailed(Sampler, new RunFailure("device lost", false)));
        Assert.Null(monitor.Status().Failed);
        monitor.Note(new PartGivenUp(Sampler, 5, 10));
        Assert.Equal($"{Sampler} failed 5 times within 10 minutes and is given up: device lost", Assert.Single(monitor.Status().Notices));
        Assert.Null(monitor.Status().Failed);
        monitor.Note(new PartFailed(other, new RunFailure("out of memory", false)));
        monitor.Note(new PartGivenUp(other, 5, 10));
        Assert.Equal(
            $"no sampler is left: {Sampler} failed 5 times within 10 minutes and is given up: device lost; {other} failed 5 times within 10 minutes and is given up: out of memory",
            monitor.Status().Failed!.Reason);
        // A process that is started again begins anew.
        monitor.Note(new PartStatus(other, Phase.Waiting));
        Assert.Null(monitor.Status().Failed);
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.NotNull(monitor.Status().Failed);
    }

    [Fact]
    public void Learner_that_steps_but_never_checkpoints_must_fail_the_run_all_the_same()
    {
        var monitor = Start();
        var ledger = LedgerStatus.Of(new RunLedger(Settings.Ledger));
        for (var i = 0; i < RunMonitor.MaxFailures; i++)
        {
            Assert.Null(monitor.Status().Failed);
            monitor.Note(new PartFailed(Sampler, new RunFailure("device lost", false)));
            monitor.Note(new PartFailed(Parts.Learner, new RunFailure("disk full", true)));
            monitor.Note(ledger = ledger with { Version = ledger.Version + 1 });
        }

        var failure = monitor.Status().Failed!;
        Assert.True(failure.Environment);
        Assert.Contains("learner failed 5 times", failure.Reason, StringComparison.Ordinal);

        monitor = Start();
        for (var i = 0; i < 2 * RunMonitor.MaxFailures; i++)
        {
            monitor.Note(new PartFailed(Parts.Learner, new RunFailure("disk full", true)));
            monitor.Note(ledger = ledger with { CheckpointStep = i });
        }

        Assert.Null(monitor.Status().Failed);
    }

    [Fact]
    public void Journal_must_say_how_long_its_oldest_write_takes_and_how_long_it_fails()
    {
        var monitor = Start();
        _journal.Begin("run");
        _time.Advance(TimeSpan.FromSeconds(3));
        _journal.Begin("group-1");
        _time.Advance(TimeSpan.FromSeconds(2));
        var journal = monitor.Status().Part(Parts.Journal)!;
        Assert.Equal((Phase.Persisting, 2, 5), (journal.Phase, journal.Figure(Figures.InFlight), journal.Figure(Figures.OldestSeconds)));
        _journal.Fail("run", new IOException("disk is full"));
        _time.Advance(TimeSpan.FromSeconds(1));
        // An open breaker hides the reason; the first one is kept.
        _journal.Fail("group-1", new Akka.Pattern.OpenCircuitException("open"));
        Assert.Equal(new PartFault("disk is full", 2, 1), monitor.Status().Part(Parts.Journal)!.Fault);
        _journal.Begin("run");
        _journal.End("run");
        journal = monitor.Status().Part(Parts.Journal)!;
        Assert.Equal((Phase.Idle, 0, null), (journal.Phase, journal.Figure(Figures.OldestSeconds), journal.Fault));
    }

    private RunMonitor Start() => new(Settings, _journal, _time);
}
