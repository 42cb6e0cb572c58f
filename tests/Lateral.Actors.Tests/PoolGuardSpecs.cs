using Lateral.Actors.Runs;
using Lateral.Core.Runs;
using static Lateral.Actors.Runs.RunProtocol;

namespace Lateral.Actors.Tests;

/// <summary>Which pool a run waits for, and until when.</summary>
public sealed class PoolGuardSpecs
{
    private static readonly RunLedger Ledger = new(new LedgerSettings(2, 1, 10, false)) { Version = 3 };

    [Fact]
    public void Pause_must_name_the_pool_that_fails_now_and_end_with_the_last_of_them()
    {
        var (guard, ledger) = (new PoolGuard(), Ledger);
        guard.Note(new PoolReport("exact", "n", "12 of 50") { HasAnswered = true });
        ledger = Follow(guard, ledger, "exact");
        guard.Note(new PoolReport("judge", "n", "50 of 50") { HasAnswered = true });
        Assert.Null(guard.Decide(ledger));
        // The first works again, and the second has failed in the meantime.
        guard.Note(new PoolReport("exact", "n", null) { HasAnswered = true });
        ledger = Follow(guard, ledger, "judge");
        guard.Note(new PoolReport("judge", "n", null) { HasAnswered = true });
        Assert.IsType<RunResumed>(guard.Decide(ledger));
    }

    [Fact]
    public void Pause_that_a_person_has_to_end_must_not_be_taken_over_by_a_pool()
    {
        var guard = new PoolGuard();
        guard.Note(new PoolReport("judge", "n", "50 of 50") { HasAnswered = true });
        Assert.Null(guard.Decide(Ledger with { Pause = new RunPaused("the gradient was not finite") }));
    }

    [Fact]
    public void Pool_that_has_never_valued_anything_must_stop_a_run_that_has_trained_nothing_and_pause_one_that_has()
    {
        var guard = new PoolGuard();
        guard.Note(new PoolReport("judge", "n", "11 of 11"));
        Assert.Null(Assert.IsType<RunPaused>(guard.Decide(Ledger with { Version = 0 })).Pool);
        Assert.Equal("judge", Assert.IsType<RunPaused>(guard.Decide(Ledger)).Pool);
    }

    private static RunLedger Follow(PoolGuard guard, RunLedger ledger, string pool)
    {
        var paused = Assert.IsType<RunPaused>(guard.Decide(ledger));
        Assert.Equal(pool, paused.Pool);
        return ledger.Apply(paused);
    }
}
