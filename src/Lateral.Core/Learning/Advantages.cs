using Lateral.Core.Rewards;

namespace Lateral.Core.Learning;

/// <summary>Turns what a batch was rewarded with into advantages.</summary>
public interface IAdvantage
{
    /// <returns>by group and sibling</returns>
    RolloutAdvantage[][] Of(IReadOnlyList<ScoredGroup> groups);
}

/// <summary>One number a rollout, from the rewards alone: what its siblings got is the baseline.</summary>
public abstract class GroupAdvantage : IAdvantage
{
    /// <param name="groups">rewards by group; every group has at least one</param>
    /// <returns>advantages in the same shape</returns>
    public abstract double[][] Compute(IReadOnlyList<double[]> groups);

    public RolloutAdvantage[][] Of(IReadOnlyList<ScoredGroup> groups)
    {
        double[][] rewards = [.. groups.Select(group => group.Siblings.Select(sibling => sibling.Reward).ToArray())];
        // Equal rewards carry no signal; rounding in a mean must not invent one.
        return [.. Compute(rewards).Zip(rewards, (advantages, group) => Array.ConvertAll(advantages, advantage => new RolloutAdvantage(IsConstant(group) ? 0 : (float)advantage)))];
    }

    /// <summary>Whether all rollouts of a group got the same.</summary>
    public static bool IsConstant(double[] rewards) => rewards.Length == 0 || rewards.Max() == rewards.Min();
}

/// <summary>A_i = r_i - mean(r): the default (diffu-GRPO and AGRPO as their code has it; Dr. GRPO, arXiv 2503.20783, section 3.2).</summary>
public sealed class GroupMean : GroupAdvantage
{
    public override double[][] Compute(IReadOnlyList<double[]> groups) => [.. groups.Select(Of)];

    public static double[] Of(double[] rewards)
    {
        var mean = Statistics.Mean(rewards);
        return Array.ConvertAll(rewards, reward => reward - mean);
    }
}

/// <summary>A_i = (r_i - mean(r)) / (std(r) + 1e-4) with the population standard deviation (GRPO, arXiv 2402.03300, section 4.1.2).</summary>
public sealed class GroupZ : GroupAdvantage
{
    /// <summary>Keeps a nearly constant group from exploding; far below the .24 of one success in sixteen.</summary>
    internal const double Floor = 1e-4;

    public override double[][] Compute(IReadOnlyList<double[]> groups) => [.. groups.Select(rewards =>
    {
        var std = Statistics.StandardDeviation(rewards);
        return Array.ConvertAll(GroupMean.Of(rewards), centred => centred / (std + Floor));
    })];
}

/// <summary>A_i = r_i - mean of the others = G / (G - 1) (r_i - mean(r)): unbiased, because no reward is its own baseline (RLOO, Ahmadian et al., arXiv 2402.14740).</summary>
public sealed class LeaveOneOut : GroupAdvantage
{
    public override double[][] Compute(IReadOnlyList<double[]> groups) => [.. groups.Select(rewards =>
        Array.ConvertAll(GroupMean.Of(rewards), centred => rewards.Length < 2 ? 0 : centred * rewards.Length / (rewards.Length - 1)))];
}

/// <summary>
/// A_i = (r_i - group mean) / (std over the whole batch + 1e-4) (Lite PPO, Liu et al., arXiv 2508.08221): groups of nearly equal rewards are not blown
/// up, and a batch keeps one scale.
/// </summary>
public sealed class BatchZ : GroupAdvantage
{
    public override double[][] Compute(IReadOnlyList<double[]> groups)
    {
        var std = Statistics.StandardDeviation([.. groups.SelectMany(rewards => rewards)]);
        return [.. groups.Select(rewards => Array.ConvertAll(GroupMean.Of(rewards), centred => centred / (std + GroupZ.Floor)))];
    }
}

/// <summary>
/// A_i = softmax(r - mean)_i - softmax(mean - r)_i: the weights of wd1 (Tang et al., arXiv 2507.08838), which pull the good rollouts of a group up and
/// push the bad ones down without a ratio. They sum to 0 over the group.
/// </summary>
public sealed class SoftmaxWeights : GroupAdvantage
{
    public override double[][] Compute(IReadOnlyList<double[]> groups) => [.. groups.Select(rewards =>
    {
        var (up, down) = (Softmax(rewards, 1), Softmax(rewards, -1));
        return up.Zip(down, (a, b) => a - b).ToArray();
    })];

    private static double[] Softmax(double[] values, double sign)
    {
        if (values.Length == 0) return [];
        var most = values.Max(value => sign * value);
        var exponentials = Array.ConvertAll(values, value => Math.Exp((sign * value) - most));
        var sum = exponentials.Sum();
        return Array.ConvertAll(exponentials, one => one / sum);
    }
}

/// <summary>+1 for the first rollout of the highest reward, -1 for the first of the lowest, 0 for the others: the pair that a preference objective compares.</summary>
public sealed class BestAndWorst : GroupAdvantage
{
    public override double[][] Compute(IReadOnlyList<double[]> groups) => [.. groups.Select(rewards =>
    {
        var advantages = new double[rewards.Length];
        if (IsConstant(rewards)) return advantages;
        advantages[Array.IndexOf(rewards, rewards.Max())] = 1;
        advantages[Array.IndexOf(rewards, rewards.Min())] = -1;
        return advantages;
    })];
}

/// <summary>+1 where the reward is above the group's mean, -1 where it is not: which rollouts are desirable, without pairs.</summary>
public sealed class AboveMean : GroupAdvantage
{
    public override double[][] Compute(IReadOnlyList<double[]> groups) => [.. groups.Select(rewards => Array.ConvertAll(GroupMean.Of(rewards), centred => centred > 0 ? 1.0 : -1.0))];
}

/// <summary>Advantages by their configuration name.</summary>
public static class Advantages
{
    /// <summary>A critic's, by token: see <see cref="ValueGae"/>.</summary>
    public const string ValueModel = "value-gae";

    public static IReadOnlyList<string> OfGroups { get; } = ["group-mean", "group-z", "leave-one-out", "batch-z", "softmax", "best-worst", "above-mean"];

    /// <summary>By step: see <see cref="Learning.StepReturn"/>.</summary>
    public const string StepReturn = "step-return";

    public static IReadOnlyList<string> Names { get; } = [.. OfGroups, StepReturn, ValueModel];

    /// <summary>What the settings name, where it needs no critic.</summary>
    /// <param name="hinted">some rollouts of a group may have been given parts of an answer</param>
    public static IAdvantage Of(LearnerSettings settings, bool hinted)
    {
        IAdvantage advantage = settings.Advantage == StepReturn ? new StepReturn(settings.GuessWeight) : ByName(settings.Advantage);
        return hinted ? new HintedGroups(advantage) : advantage;
    }

    /// <exception cref="ArgumentException">no such advantage, or one that is not of groups</exception>
    public static GroupAdvantage ByName(string name) => name switch
    {
        "group-mean" => new GroupMean(),
        "group-z" => new GroupZ(),
        "leave-one-out" => new LeaveOneOut(),
        "batch-z" => new BatchZ(),
        "softmax" => new SoftmaxWeights(),
        "best-worst" => new BestAndWorst(),
        "above-mean" => new AboveMean(),
        StepReturn => throw new ArgumentException($"advantage {StepReturn} is no number of a group", nameof(name)),
        ValueModel => throw new ArgumentException($"advantage {ValueModel} is no number of a group: it needs a critic, which is on the learner's device only", nameof(name)),
        _ => throw new ArgumentException($"unknown advantage '{name}'; one of: {string.Join(", ", Names)}", nameof(name)),
    };
}

/// <summary>Plain sums, in order, so that a result does not depend on vector width.</summary>
public static class Statistics
{
    public static double Mean(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values) sum += value;
        return values.Length == 0 ? 0 : sum / values.Length;
    }

    /// <summary>Population standard deviation.</summary>
    public static double StandardDeviation(ReadOnlySpan<double> values)
    {
        var mean = Mean(values);
        var sum = 0.0;
        foreach (var value in values) sum += (value - mean) * (value - mean);
        return values.Length == 0 ? 0 : Math.Sqrt(sum / values.Length);
    }
}
