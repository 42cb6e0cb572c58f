using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Core.Tests;

public sealed class LeaseBookTests
{
    private static readonly LeaseBook Empty = new(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10));

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
    public void Lease_that_nobody_confirms_must_wait_again_soon()
    {
        var (book, _) = (Empty with { ConfirmTime = TimeSpan.FromSeconds(3) }).Submit(Work(1)).Submit(Work(2)).Grant("a", 4, TimeSpan.Zero);
        book = book.Report("a", Work(2), [], TimeSpan.FromSeconds(1));
        Assert.Empty(book.Expire(TimeSpan.FromSeconds(2)).Queue);
        Assert.Equal([1L], book.Expire(TimeSpan.FromSeconds(3)).Queue.Keys);
        Assert.Equal([1L, 2L], book.Expire(TimeSpan.FromSeconds(10)).Queue.Keys);
    }

    [Fact]
    public void Lease_must_only_be_completed_by_its_holder()
    {
        var (book, _) = Empty.Submit(Work(1)).Grant("a", 2, TimeSpan.Zero);
        Assert.Single(book.Complete("b", 1).Leases);
        Assert.Empty(book.Complete("a", 1).Leases);
    }

    [Fact]
    public void Work_of_a_lost_sampler_must_wait_with_the_canvases_that_it_last_reported()
    {
        var (book, _) = Empty.Submit(Work(1)).Grant("a", 2, TimeSpan.Zero);
        book = book.Report("a", Work(1), [Canvas(1, 0, 1), Canvas(1, 1, 1)], TimeSpan.Zero).Report("a", Work(1), [Canvas(1, 1, 3)], TimeSpan.Zero);
        // Another's word about this lease counts for nothing.
        book = book.Report("b", Work(1), [Canvas(1, 0, 5)], TimeSpan.Zero);
        book = book.Release("a");
        Assert.Equal([(0, 1), (1, 3)], book.Queue[1].Begun.Select(begun => (begun.Id.Sibling, begun.Step)).Order());
        // The entity has journaled sibling 0 meanwhile.
        book = book.Submit(Work(1) with { Siblings = [1] });
        Assert.Equal(1, Assert.Single(book.Queue[1].Siblings));
        Assert.Equal([(1, 3)], book.Queue[1].Begun.Select(begun => (begun.Id.Sibling, begun.Step)));
    }

    [Fact]
    public void Canvas_of_a_sibling_that_is_journaled_must_be_forgotten()
    {
        var (book, _) = Empty.Submit(Work(1)).Grant("a", 2, TimeSpan.Zero);
        book = book.Report("a", Work(1), [Canvas(1, 0, 1)], TimeSpan.Zero).Report("a", Work(1) with { Siblings = [1] }, [], TimeSpan.Zero);
        Assert.Empty(book.Release("a").Queue[1].Begun);
        Assert.Equal(1, Assert.Single(book.Release("a").Queue[1].Siblings));
    }

    [Fact]
    public void Lease_that_a_new_book_does_not_know_must_be_taken_over_from_its_holders_report()
    {
        var book = Empty.Submit(Work(1)).Report("a", Work(1), [Canvas(1, 0, 2)], TimeSpan.FromSeconds(3));
        Assert.Empty(book.Queue);
        Assert.Equal(("a", TimeSpan.FromSeconds(3), true), (book.Leases[1].Sampler, book.Leases[1].Granted, book.Leases[1].Confirmed));
        Assert.Empty(book.Submit(Work(1)).Queue);
        Assert.Equal(2, Assert.Single(book.Expire(TimeSpan.FromSeconds(13)).Queue[1].Begun).Step);
    }

    private static RolloutInFlight Canvas(long group, int sibling, int steps) => new(
        new Trajectory(new RolloutId(group, sibling), [3], [1, 9], [0, -1], [-.5f, 0], [.. new float[steps]], 0, [new PolicySpan(0, 1, "a")], ""), .25);

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

    [Fact]
    public void Sampler_must_let_pinned_work_go_whose_policy_is_not_published_any_more()
    {
        var plan = SamplerPlan.Empty with { PinnedMode = true, Latest = 2, Current = 2, Held = [Work(0, 0), Work(4, 2), Work(5, 3)] };
        Assert.Equal(0, (plan with { Held = [Work(0, 0), Work(5, 3)] }).SwapTo);
        Assert.Equal([4L, 5L], plan.Publish(2, 3).Held.Select(work => work.Group));
        Assert.Equal(3, (plan with { Held = [Work(0, 0), Work(5, 3)] }).Publish(2, 3).SwapTo);
        var free = plan with { Held = [new SampleWork(0, [0], 0, Pinned: false)] };
        Assert.Single(free.Publish(2, 3).Held);
    }

    private static SampleWork Work(long group, int version) => new(group, [0], version, true);
}
