using Lateral.Core.Runs;

namespace Lateral.Core.Tests;

public sealed class LeaseBookTests
{
    private static readonly LeaseBook Empty = new(TimeSpan.FromSeconds(10));

    [Fact]
    public void Grant_must_serve_the_oldest_groups_until_the_free_slots_are_covered()
    {
        var book = Empty.Submit(Work(7)).Submit(Work(3)).Submit(Work(5));
        var (after, granted) = book.Grant("a", 3, TimeSpan.Zero);
        Assert.Equal([3L, 5L], granted.Select(work => work.Group));
        Assert.Equal([7L], after.Queue.Keys);
    }

    [Fact]
    public void Group_must_be_queued_or_leased_never_both()
    {
        var (book, _) = Empty.Submit(Work(3)).Grant("a", 2, TimeSpan.Zero);
        book = book.Submit(Work(3));
        Assert.Empty(book.Queue);
        Assert.Single(book.Leases);
    }

    [Fact]
    public void Work_of_a_lost_sampler_or_of_an_expired_lease_must_wait_again()
    {
        var (book, _) = Empty.Submit(Work(1)).Submit(Work(2)).Grant("a", 2, TimeSpan.Zero);
        (book, _) = book.Grant("b", 2, TimeSpan.FromSeconds(5));
        Assert.Equal([1L], book.Release("a").Queue.Keys);
        Assert.Equal([1L], book.Expire(TimeSpan.FromSeconds(10)).Queue.Keys);
        Assert.Equal([1L, 2L], book.Expire(TimeSpan.FromSeconds(15)).Queue.Keys);
    }

    [Fact]
    public void Lease_must_only_be_completed_by_its_holder()
    {
        var (book, _) = Empty.Submit(Work(1)).Grant("a", 2, TimeSpan.Zero);
        Assert.Single(book.Complete("b", 1).Leases);
        Assert.Empty(book.Complete("a", 1).Leases);
    }

    private static SampleWork Work(long group) => new(group, [0, 1], 0, false);
}

public sealed class SamplerPlanTests
{
    [Fact]
    public void Free_running_sampler_must_take_the_newest_policy_and_start_work_from_its_version_on()
    {
        var plan = SamplerPlan.Empty with { Latest = 3, Held = [Work(0, 2), Work(1, 3)] };
        Assert.Equal(3, plan.SwapTo);
        Assert.Empty(plan.Startable);
        Assert.Equal([0L], (plan with { Current = 2 }).Startable.Select(work => work.Group));
        Assert.Equal(3, (plan with { Current = 2, Active = 8 }).SwapTo);
        Assert.Null((plan with { Current = 3 }).SwapTo);
    }

    [Fact]
    public void Deterministic_sampler_must_drain_before_it_swaps_and_take_exactly_the_assigned_version()
    {
        var plan = SamplerPlan.Empty with { PinnedMode = true, Latest = 5, Current = 2, Held = [Work(0, 2), Work(1, 3)] };
        Assert.Equal([0L], plan.Startable.Select(work => work.Group));
        Assert.Null(plan.SwapTo);
        Assert.Null((plan with { Held = [Work(1, 3)], Active = 1 }).SwapTo);
        Assert.Equal(3, (plan with { Held = [Work(1, 3)] }).SwapTo);
        // A re-issued group goes back to its own version; the newest one is never taken unasked.
        Assert.Equal(1, (plan with { Held = [Work(0, 1)] }).SwapTo);
        Assert.Null((plan with { Held = [] }).SwapTo);
    }

    private static SampleWork Work(long group, int version) => new(group, [0], version, true);
}
