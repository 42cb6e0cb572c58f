using Lateral.Core;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>How K of a trajectory's T recorded states are chosen to stand for all: every rule weighs them so that the sum over the states stays unbiased.</summary>
public enum StepChoice
{
    /// <summary>Without replacement, each K-subset as likely as any other; weight T / K.</summary>
    Uniform,

    /// <summary>One of each of K equal stretches of the trajectory; weight T / K. Early and late states, which differ most, are both there.</summary>
    Stratified,

    /// <summary>
    /// With replacement, in proportion to the surprise of a step's tokens when they were sampled; weight 1 / (K p_t). Where the model was sure there is
    /// little to learn (AGRPO and EGSPO choose by entropy, of which the surprise is one sample).
    /// </summary>
    BySurprise,
}

/// <param name="Count">K; 0 = all states</param>
public sealed record StepSubset(StepChoice Choice, int Count)
{
    /// <summary>Of a step that the model was quite sure of, so that its weight stays finite, in nats per token.</summary>
    private const double LeastSurprise = 0.05;

    public static StepSubset All { get; } = new(StepChoice.Uniform, 0);

    /// <summary>As the configuration names the likelihood.</summary>
    public string Name => Choice switch { StepChoice.Stratified => "trajectory-stratified", StepChoice.BySurprise => "trajectory-surprise", _ => "trajectory" };

    /// <summary>The states to score, ascending, each once.</summary>
    public IEnumerable<(int Step, float Weight)> Of(Trajectory trajectory, PlanKey key)
    {
        var steps = Enumerable.Range(0, trajectory.Steps);
        if (Count <= 0 || Count >= trajectory.Steps) return steps.Select(step => (step, 1f));
        double Draw(int k) => key.Random.Uniform(RandomStream.StepSubset, key.FirstPrompt + trajectory.Id.Group, trajectory.Id.Sibling, key.LearnerStep, k);
        return Choice switch
        {
            StepChoice.Stratified => Stratified(trajectory.Steps, Draw),
            StepChoice.BySurprise => BySurprise(trajectory, Draw),
            _ => steps.OrderBy(step => key.Random.Bits(RandomStream.StepSubset, key.FirstPrompt + trajectory.Id.Group, trajectory.Id.Sibling, key.LearnerStep, step))
                .Take(Count).Order().Select(step => (step, (float)trajectory.Steps / Count)),
        };
    }

    /// <summary>Stretch k is [k T / K, (k + 1) T / K); one uniform point of each falls into a step, so that every step weighs 1 on average.</summary>
    private IEnumerable<(int, float)> Stratified(int steps, Func<int, double> draw) =>
        Enumerable.Range(0, Count).Select(k => Math.Min(steps - 1, (int)((k + draw(k)) * steps / Count))).GroupBy(step => step).Select(same => (same.Key, (float)(same.Count() * (double)steps / Count)));

    private IEnumerable<(int, float)> BySurprise(Trajectory trajectory, Func<int, double> draw)
    {
        var surprise = new double[trajectory.Steps];
        for (var i = 0; i < trajectory.RevealStep.Length; i++)
        {
            if (trajectory.RevealStep[i] is >= 0 and var step) surprise[step] += Math.Max(LeastSurprise, -trajectory.TokenLogProbs[i]);
        }

        var total = surprise.Sum();
        return Enumerable.Range(0, Count).Select(k => Pick(surprise, draw(k) * total)).GroupBy(step => step).OrderBy(same => same.Key)
            .Select(same => (same.Key, (float)(same.Count() * total / surprise[same.Key] / Count)));
    }

    /// <summary>Inverse CDF: the first step whose cumulative surprise exceeds the point.</summary>
    private static int Pick(double[] surprise, double point)
    {
        for (var step = 0; step < surprise.Length - 1; step++)
        {
            if (point < surprise[step]) return step;
            point -= surprise[step];
        }

        return surprise.Length - 1;
    }
}
