using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;

namespace Lateral.Tests.Diffusion;

public sealed class UnitTableTests
{
    private static readonly Trajectory Example = new(
        new(1, 0), [1], [4, 5, 6, 7], [1, 0, 1, 0], [-.1f, -.2f, -.3f, -.4f], [0, 0], 1, [new(0, 0, "h")], "");

    private static readonly RolloutAdvantage ByToken = new(Example, [.5f, 1, -.25f, 2]);

    [Fact]
    public void Token_must_have_its_own_advantage_in_every_likelihood()
    {
        // The recorded states come by step: positions 1 and 3, then 0 and 2.
        Assert.Equal([1, 2, .5f, -.25f], Advantages(new TrajectoryLikelihood(RatioGranularity.Token, StepSubset.All)));
        foreach (var name in LikelihoodRules.All.Where(rule => !rule.Recorded && rule.Units.Contains(RatioGranularity.Token)).Select(rule => rule.Name))
            Assert.Equal([.5f, 1, -.25f, 2], Advantages(LikelihoodCatalogue.Create(Methods.Likelihood(name), RatioGranularity.Token, null, 64)));
    }

    [Fact]
    public void Step_must_have_the_mean_of_its_tokens_and_a_completion_of_all()
    {
        Assert.Equal([1.5f, .125f], Advantages(new TrajectoryLikelihood(RatioGranularity.Step, StepSubset.All)));
        Assert.Equal([.8125f], Advantages(new TrajectoryLikelihood(RatioGranularity.Sequence, StepSubset.All)));
    }

    private static IEnumerable<float> Advantages(ILikelihood likelihood)
    {
        var table = new UnitTable();
        table.Add(0, Example, ByToken, likelihood.Plan(Example, Scoring.Key()), 0);
        return table.Units.Select(unit => unit.Advantage);
    }
}
