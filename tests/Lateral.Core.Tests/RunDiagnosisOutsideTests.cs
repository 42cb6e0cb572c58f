using Lateral.Core.Runs;
using static Lateral.Core.Tests.RunDiagnosisTests;

namespace Lateral.Core.Tests;

/// <summary>What is seen of a run from outside explains everything inside: a full disk, a hung process, a dead one.</summary>
public sealed class RunDiagnosisOutsideTests
{
    private const long Plenty = 10L << 30;

    private static readonly Surroundings Alive = new(true, 4711, 1, Plenty, null, false);

    [Fact]
    public void Full_disk_must_be_blamed_whatever_the_parts_say()
    {
        var diagnosis = RunDiagnosis.Of(Status(Waiting(30)), Alive with { FreeBytes = 4096 });
        Assert.Equal(["learner", "disk"], diagnosis.Chain.Select(link => link.Part));
        Assert.Equal((Verdict.Stuck, "full: 0 MiB free where the run directory lies"), (diagnosis.Verdict, diagnosis.Culprit.Text));
        Assert.Equal("checkpoint.keep-last", diagnosis.Advice[^1].Setting);
    }

    [Fact]
    public void Process_that_writes_no_status_must_be_called_hung_and_a_suspended_one_suspended()
    {
        Assert.Equal(Verdict.Working, RunDiagnosis.Of(Status(), Alive with { SilentSeconds = 9 }).Verdict);
        var hung = RunDiagnosis.Of(Status(Waiting(2)), Alive with { SilentSeconds = 12 });
        Assert.Equal("process: 4711 has said nothing for 12 s and still holds the run", hung.Culprit.ToString());
        var suspended = RunDiagnosis.Of(Status(Waiting(2)), Alive with { SilentSeconds = 12, Suspended = true });
        Assert.Equal("let it go on with kill -CONT 4711", Assert.Single(suspended.Advice).Text);
        Assert.Equal((Verdict.Stuck, Verdict.Stuck), (hung.Verdict, suspended.Verdict));
    }

    [Fact]
    public void Process_that_starts_must_not_be_called_stuck() =>
        Assert.Equal((Verdict.Working, "run"), (RunDiagnosis.Of(null, Alive).Verdict, RunDiagnosis.Of(null, Alive).Culprit.Part));

    [Fact]
    public void Process_that_was_killed_must_be_told_with_what_it_did_last()
    {
        var diagnosis = RunDiagnosis.Of(Status(Waiting(2)), Alive with { Running = false, SilentSeconds = 3600 });
        Assert.Equal(
            "run: at step 211 of 240 <- process: 4711 is gone without a word: killed, out of memory, or a power cut; its learner was waiting 2 s for batch 212",
            (diagnosis with { Advice = [] }).Line);
        Assert.Equal((Verdict.Ended, "go on with lateral resume"), (diagnosis.Verdict, diagnosis.Advice[0].Text));
        Assert.Equal("disk", RunDiagnosis.Of(Status(), Alive with { Running = false, FreeBytes = 0 }).Culprit.Part);
    }

    [Theory]
    [InlineData(RunEndKind.Finished, "run: finished its 240 steps")]
    [InlineData(RunEndKind.Interrupted, "run: at step 211 of 240: stopped on request, and saved")]
    [InlineData(RunEndKind.Abandoned, "run: at step 211 of 240: stopped at once on request; what was journaled is safe")]
    public void Process_that_ended_on_its_own_must_be_told_as_it_ended(RunEndKind kind, string culprit)
    {
        var diagnosis = RunDiagnosis.Of(Status(), Alive with { Running = false, End = new RunEnd(kind) });
        Assert.Equal((Verdict.Ended, culprit), (diagnosis.Verdict, diagnosis.Culprit.ToString()));
    }

    [Fact]
    public void Failure_must_give_its_reason_and_a_disk_that_was_full_what_is_free_now()
    {
        var ended = Alive with { Running = false, End = new RunEnd(RunEndKind.Failed, "learner failed 5 times without progress: boom") };
        Assert.Equal("failure: learner failed 5 times without progress: boom", RunDiagnosis.Of(Status(), ended).Culprit.ToString());
        var full = ended with { End = new RunEnd(RunEndKind.Failed, "the learner failed 5 times without progress: No space left on device") };
        Assert.Equal(["run", "failure", "disk"], RunDiagnosis.Of(Status(), full with { FreeBytes = 0 }).Chain.Select(link => link.Part));
        var freed = RunDiagnosis.Of(Status(), full);
        Assert.Equal("disk", freed.Culprit.Part);
        Assert.EndsWith("10240 MiB free now", freed.Culprit.Text, StringComparison.Ordinal);
        Assert.All(new[] { RunDiagnosis.Of(Status(), ended), freed }, diagnosis => Assert.Equal(Verdict.Ended, diagnosis.Verdict));
    }

    [Fact]
    public void Run_that_never_wrote_a_status_must_still_be_told()
    {
        Assert.Equal("ended before its first step", RunDiagnosis.Of(null, Alive with { Running = false, Process = null }).Chain[0].Text);
    }
}
