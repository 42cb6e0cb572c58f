namespace Lateral.Core.Learning;

/// <summary>Turns a group's rewards into advantages.</summary>
public interface IAdvantage
{
    /// <param name="rewards">[G] rewards of one group</param>
    /// <returns>[G] advantages; a zero-variance group gets zeros and stays in its batch</returns>
    double[] Compute(ReadOnlySpan<double> rewards);
}

/// <summary>A_i = r_i - mean(r): the default (diffu-GRPO and AGRPO as their code has it; Dr. GRPO, arXiv 2503.20783, section 3.2).</summary>
public sealed class GroupMean : IAdvantage
{
    public double[] Compute(ReadOnlySpan<double> rewards)
    {
        var mean = Statistics.Mean(rewards);
        var advantages = new double[rewards.Length];
        for (var i = 0; i < rewards.Length; i++) advantages[i] = rewards[i] - mean;
        return advantages;
    }
}

/// <summary>A_i = (r_i - mean(r)) / (std(r) + 1e-4) with the population standard deviation (GRPO, arXiv 2402.03300, section 4.1.2).</summary>
public sealed class GroupZ : IAdvantage
{
    /// <summary>Keeps a nearly constant group from exploding; far below the .24 of one success in sixteen.</summary>
    private const double Floor = 1e-4;

    public double[] Compute(ReadOnlySpan<double> rewards)
    {
        var (mean, std) = (Statistics.Mean(rewards), Statistics.StandardDeviation(rewards));
        var advantages = new double[rewards.Length];
        for (var i = 0; i < rewards.Length; i++) advantages[i] = (rewards[i] - mean) / (std + Floor);
        return advantages;
    }
}

/// <summary>Advantages by their configuration name.</summary>
public static class Advantages
{
    public static IReadOnlyList<string> Names { get; } = ["group-mean", "group-z"];

    public static IAdvantage ByName(string name) => name switch
    {
        "group-mean" => new GroupMean(),
        "group-z" => new GroupZ(),
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
