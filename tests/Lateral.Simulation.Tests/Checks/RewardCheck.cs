using Lateral.Core.Learning;
using Lateral.Core.Rewards;

namespace Lateral.Simulation.Tests.Checks;

/// <summary>I8: whatever reaches a learner is what a verifier really found, and nothing stands for a fault.</summary>
internal static class RewardCheck
{
    public static void Of(World world, LearnerBatch batch)
    {
        foreach (var (trajectory, reward, _) in batch.Groups.SelectMany(group => group.Siblings))
        {
            var expected = world.Given.GetValueOrDefault((trajectory.Id, trajectory.Text)) switch
            {
                RewardOutcome.Scored scored => scored.Value,
                RewardOutcome.ModelFault => -1,
                _ => double.NaN,
            };
            world.Verdicts.Require(reward == expected, "I8 No fabrication", $"{trajectory.Id} is trained with reward {reward}, the verifier gave {expected}");
        }
    }
}
