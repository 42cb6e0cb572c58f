using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;

namespace Lateral.Tests.Diffusion;

public class TrajectoryLikelihoodTests
{
    private const int Mask = 9;

    private static Trajectory Example(int sibling = 0) => new(
        new(5, sibling), [1, 2], [4, 5, 6, 7], [1, 0, -1, 2], [-.1f, -.2f, 0, -.4f], [0, 0, 0], 1, [new(0, 3, "h")], "");

    private static LikelihoodPlan Plan(Trajectory trajectory, int subset = 0, PlanKey? key = null, RatioGranularity unit = RatioGranularity.Token) =>
        new TrajectoryLikelihood(unit, new(StepChoice.Uniform, subset)).Plan(trajectory, key ?? Scoring.Key());

    /// <summary>The denoising steps whose states are scored.</summary>
    private static int[] Steps(Trajectory trajectory, int subset, PlanKey key) => [.. Plan(trajectory, subset, key).Units.Select(unit => unit.Step)];

    [Fact]
    public void Plan_must_rebuild_the_state_before_each_step()
    {
        var plan = Plan(Example());
        Assert.Equal(3, plan.Views.Length);
        Assert.Equal([1, 2, Mask, Mask, Mask, Mask], plan.Views[0].Canvas(Mask));
        Assert.Equal([1, 2, Mask, 5, Mask, Mask], plan.Views[1].Canvas(Mask));
        Assert.Equal([1, 2, 4, 5, Mask, Mask], plan.Views[2].Canvas(Mask));
        Assert.Equal([new Question(1, 0, 1), new(0, 1, 1), new(3, 2, 1)], plan.Views.Select(view => view.Questions.Single()));
        Assert.Equal([new PlannedUnit(-.2f, 1, 0) { Position = 1 }, new(-.1f, 1, 1) { Position = 0 }, new(-.4f, 1, 2) { Position = 3 }], plan.Units.AsEnumerable());
    }

    [Fact]
    public void Steps_and_completions_must_add_up_their_tokens()
    {
        var example = Example() with { RevealStep = [1, 0, -1, 1], SelectionLogProbs = [0, 0] };
        var steps = Plan(example, unit: RatioGranularity.Step);
        Assert.Equal([new PlannedUnit(-.2f, 1, 0), new(-.1f + -.4f, 1, 1)], steps.Units.AsEnumerable());
        Assert.Equal([new Question(0, 1, 1), new(3, 1, 1)], steps.Views[1].Questions.AsEnumerable());
        var completion = Plan(example, unit: RatioGranularity.Sequence);
        Assert.Equal(-.7f / 3, Assert.Single(completion.Units).Behaviour, 1e-6);
        Assert.All(completion.Views.SelectMany(view => view.Questions), question => Assert.Equal((0, 1f / 3), (question.Unit, question.Coefficient)));
    }

    [Fact]
    public void Subset_must_be_unbiased()
    {
        var (counts, trials) = (new double[3], 6000);
        for (var sibling = 0; sibling < trials; sibling++)
        {
            var plan = Plan(Example(sibling), 2, Scoring.Key(7));
            Assert.Equal(2, plan.Views.Length);
            foreach (var unit in plan.Units) counts[unit.Step] += unit.Weight;
        }

        // Each state weighs 1 on average: a Bernoulli(2/3) times 3/2 has standard deviation 1/sqrt(2).
        Assert.All(counts, count => Assert.Equal(1, count / trials, 4 * Math.Sqrt(.5 / trials)));
    }

    [Fact]
    public void Subset_must_be_the_same_again_and_another_at_another_step()
    {
        int[] Drawn(int learnerStep) => [.. Enumerable.Range(0, 20).SelectMany(sibling => Steps(Example(sibling), 1, Scoring.Key(7, learnerStep)))];
        Assert.Equal(Drawn(1), Drawn(1));
        Assert.NotEqual(Drawn(1), Drawn(2));
    }

    [Fact]
    public void Subset_of_a_fork_must_be_keyed_by_the_prompt_and_not_by_the_group()
    {
        int[] Drawn(long group, long firstPrompt) => [.. Enumerable.Range(0, 20).SelectMany(sibling =>
            Steps(Example() with { Id = new(group, sibling) }, 1, Scoring.Key(7, 1, firstPrompt)))];
        Assert.Equal(Drawn(12, 0), Drawn(5, 7));
        Assert.NotEqual(Drawn(5, 0), Drawn(5, 7));
    }

    [Fact]
    public void MicroBatch_must_pack_views_with_their_questions_and_padding()
    {
        var shorter = Example() with { Prompt = [3], Tokens = [8], RevealStep = [0], TokenLogProbs = [-.7f], SelectionLogProbs = [0] };
        var (longer, other) = (Plan(Example()).Views[1], Plan(shorter).Views[0]);
        var batch = Assert.Single(MicroBatch.Cut([new(longer, 4), new(other, 9)], 100, Mask));
        Assert.Equal((2, 6, true), (batch.Canvases, batch.Length, batch.Padded));
        Assert.Equal([3, Mask, Mask, Mask, Mask, Mask, 1, 2, Mask, 5, Mask, Mask], batch.Ids);
        Assert.Equal([2, 6], batch.Lengths);
        Assert.Equal([1, 8], batch.Rows);
        Assert.Equal([0, 1], batch.RowOf);
        Assert.Equal([8, 4], batch.Tokens);
        Assert.Equal([0, 0], batch.Positions);
        // Its view's first unit, and its own place in the plan.
        Assert.Equal([9, 5], batch.Units);
        Assert.Equal([1, 1], batch.Coefficients);
    }

    [Fact]
    public void MicroBatch_must_compute_equal_canvases_and_rows_once_and_answer_each_rollouts_questions()
    {
        // Two siblings that share their first state and reveal different tokens of the same position.
        var sibling = Example(1) with { Tokens = [4, 8, 6, 7], TokenLogProbs = [-.1f, -.9f, 0, -.4f] };
        var (first, second) = (Plan(Example()).Views, Plan(sibling).Views);
        var batch = Assert.Single(MicroBatch.Cut([new(first[0], 0), new(second[0], 3), new(second[1], 3)], 100, Mask));
        Assert.Equal(2, batch.Canvases);
        Assert.Equal([3, 8], batch.Rows);
        Assert.Equal([0, 0, 1], batch.RowOf);
        Assert.Equal([5, 8, 4], batch.Tokens);
        Assert.Equal([0, 3, 4], batch.Units);
    }

    [Fact]
    public void MicroBatch_must_respect_the_token_budget_and_lose_no_view()
    {
        // Different prompts, so that no canvas is shared.
        var views = Scoring.TableOf(Enumerable.Range(0, 7).Select(i => Example(i) with { Prompt = [i, 2] })).Views;
        var batches = MicroBatch.Cut(views, 25, Mask).ToArray();
        Assert.Equal([4, 4, 4, 4, 4, 1], batches.Select(batch => batch.Canvases));
        Assert.Equal(21, batches.Sum(batch => batch.Tokens.Length));
        // A canvas longer than the budget still has to be scored.
        Assert.Equal(21, MicroBatch.Cut(views, 1, Mask).Count());
    }
}
