using Lateral.Core;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;

namespace Lateral.Tests.Diffusion;

public class TrajectoryReplayTests
{
    private const int Mask = 9;

    private static Trajectory Example(int sibling = 0) => new(
        new(5, sibling), [1, 2], [4, 5, 6, 7], [1, 0, -1, 2], [-.1f, -.2f, 0, -.4f], [0, 0, 0], 1, [new(0, 3, "h")], "");

    [Fact]
    public void Replay_must_rebuild_the_state_before_each_step()
    {
        var views = TrajectoryReplay.Views(0, Example(), 0, new CounterRandom(1), 1).ToArray();
        Assert.Equal(3, views.Length);
        Assert.Equal([1, 2, Mask, Mask, Mask, Mask], views[0].Canvas(Mask));
        Assert.Equal([1, 2, Mask, 5, Mask, Mask], views[1].Canvas(Mask));
        Assert.Equal([1, 2, 4, 5, Mask, Mask], views[2].Canvas(Mask));
        Assert.Equal([1, 0, 3], views.Select(view => view.Revealed().Single()));
        Assert.All(views, view => Assert.Equal(1, view.Weight));
    }

    [Fact]
    public void Replay_must_draw_an_unbiased_subset()
    {
        var random = new CounterRandom(7);
        var (counts, trials) = (new double[3], 6000);
        for (var sibling = 0; sibling < trials; sibling++)
        {
            var views = TrajectoryReplay.Views(0, Example(sibling), 2, random, 1).ToArray();
            Assert.Equal(2, views.Length);
            foreach (var view in views) counts[view.Step] += view.Weight;
        }

        // Each state weighs 1 on average: a Bernoulli(2/3) times 3/2 has standard deviation 1/sqrt(2).
        Assert.All(counts, count => Assert.Equal(1, count / trials, 4 * Math.Sqrt(.5 / trials)));
    }

    [Fact]
    public void Replay_must_draw_the_same_subset_again_and_another_at_another_step()
    {
        int[] Steps(int learnerStep) => [.. Enumerable.Range(0, 20).SelectMany(sibling =>
            TrajectoryReplay.Views(0, Example(sibling), 1, new CounterRandom(7), learnerStep).Select(view => view.Step))];
        Assert.Equal(Steps(1), Steps(1));
        Assert.NotEqual(Steps(1), Steps(2));
    }

    [Fact]
    public void Subset_of_a_fork_must_be_keyed_by_the_prompt_and_not_by_the_group()
    {
        int[] Steps(long group, long firstPrompt) => [.. Enumerable.Range(0, 20).SelectMany(sibling =>
            TrajectoryReplay.Views(0, Example() with { Id = new(group, sibling) }, 1, new CounterRandom(7), 1, firstPrompt).Select(view => view.Step))];
        Assert.Equal(Steps(12, 0), Steps(5, 7));
        Assert.NotEqual(Steps(5, 0), Steps(5, 7));
    }

    [Fact]
    public void MicroBatch_must_pack_views_with_their_tokens_and_padding()
    {
        var shorter = Example() with { Prompt = [3], Tokens = [8], RevealStep = [0], TokenLogProbs = [-.7f], SelectionLogProbs = [0] };
        StateView[] views = [new(4, Example(), 1, 1.5f), new(6, shorter, 0, 1)];
        var batch = Assert.Single(MicroBatch.Cut(views, 100, Mask));
        Assert.Equal((2, 6, true), (batch.Canvases, batch.Length, batch.Padded));
        Assert.Equal([3, Mask, Mask, Mask, Mask, Mask, 1, 2, Mask, 5, Mask, Mask], batch.Ids);
        Assert.Equal([2, 6], batch.Lengths);
        Assert.Equal([1, 8], batch.Rows);
        Assert.Equal([0, 1], batch.RowOf);
        Assert.Equal([8, 4], batch.Tokens);
        Assert.Equal([-.7f, -.1f], batch.Behaviour);
        Assert.Equal([1, 1.5], batch.Weights);
        Assert.Equal([6, 4], batch.Rollouts);
    }

    [Fact]
    public void MicroBatch_must_compute_equal_canvases_and_rows_once_and_score_each_rollouts_tokens()
    {
        // Two siblings that share their first state and reveal different tokens of the same position.
        var sibling = Example(1) with { Tokens = [4, 8, 6, 7], TokenLogProbs = [-.1f, -.9f, 0, -.4f] };
        var batch = Assert.Single(MicroBatch.Cut([new(0, Example(), 0, 1), new(1, sibling, 0, 1), new(1, sibling, 1, 1)], 100, Mask));
        Assert.Equal(2, batch.Canvases);
        Assert.Equal([3, 8], batch.Rows);
        Assert.Equal([0, 0, 1], batch.RowOf);
        Assert.Equal([5, 8, 4], batch.Tokens);
        Assert.Equal([-.2f, -.9f, -.1f], batch.Behaviour);
        Assert.Equal([0, 1, 1], batch.Rollouts);
    }

    [Fact]
    public void MicroBatch_must_respect_the_token_budget_and_lose_no_view()
    {
        // Different prompts, so that no canvas is shared.
        var views = Enumerable.Range(0, 7).SelectMany(i => TrajectoryReplay.Views(i, Example(i) with { Prompt = [i, 2] }, 0, new CounterRandom(1), 1)).ToArray();
        var batches = MicroBatch.Cut(views, 25, Mask).ToArray();
        Assert.Equal([4, 4, 4, 4, 4, 1], batches.Select(batch => batch.Canvases));
        Assert.Equal(21, batches.Sum(batch => batch.Tokens.Length));
        // A canvas longer than the budget still has to be scored.
        Assert.Equal(21, MicroBatch.Cut(views, 1, Mask).Count());
    }
}
