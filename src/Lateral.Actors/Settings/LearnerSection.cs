using System.Globalization;
using Lateral.Configuration;
using Lateral.Core.Learning;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary><c>algorithm {}</c>, <c>learner {}</c> and <c>warmup {}</c>.</summary>
internal static class LearnerSection
{
    private const double LeastRate = 1e-12, LeastEpsilon = 1e-6, LargestBeta = 0.999999;

    public static IReadOnlyCollection<string> Decays { get; } = ["constant", "linear", "cosine"];

    public static LearnerSettings Read(ConfigReader algorithm, ConfigReader learner)
    {
        var schedule = algorithm.Section("lr-schedule");
        return new LearnerSettings(
            algorithm.OneOf("correction", CorrectionRules.Names), algorithm.Double("clip-epsilon", LeastEpsilon, 0.999), ReadDualClip(algorithm),
            algorithm.OneOf("advantage", [.. Advantages.Names]),
            algorithm.Double("lr", LeastRate, 1), schedule.Int("warmup-steps", 0, 1_000_000), schedule.OneOf("decay", Decays), schedule.Double("final-fraction", 0, 1),
            algorithm.Double("beta1", 0, LargestBeta), algorithm.Double("beta2", 0, LargestBeta), algorithm.Double("adam-epsilon", 1e-16, 0.01), algorithm.Double("weight-decay", 0, 1),
            algorithm.Double("max-grad-norm", 0), algorithm.Int("updates", 1, 64),
            learner.Int("shards", 1, 1024), learner.Int("micro-batch-tokens", 1, 1 << 24), algorithm.Int("step-subset", 0, 65_536));
    }

    public static SpikeSettings ReadSpikes(ConfigReader spikes) => new(
        spikes.OneOf("answer", ["continue", "pause", "roll-back"]) switch { "pause" => SpikeAnswer.Pause, "roll-back" => SpikeAnswer.RollBack, _ => SpikeAnswer.Continue },
        spikes.Double("z-score", 0, 1e6), spikes.Int("window", 10, 1000));

    /// <summary>The rise is cut to the warm-up's length, so that a shorter warm-up needs one key, not two.</summary>
    public static WarmupSettings ReadWarmup(ConfigReader warmup)
    {
        var steps = warmup.Int("steps", 0, 1_000_000);
        return new WarmupSettings(steps, warmup.Int("batch", 1, 65_536), warmup.Double("lr", LeastRate, 1), Math.Min(steps, warmup.Int("lr-warmup-steps", 0, 1_000_000)));
    }

    private static double ReadDualClip(ConfigReader algorithm)
    {
        var (epsilon, dual) = (algorithm.Double("clip-epsilon"), algorithm.Double("dual-clip", 0));
        if (dual != 0 && dual <= 1 + epsilon) algorithm.Error("dual-clip", $"must be 0 (off) or above 1 + clip-epsilon ({Text(1 + epsilon)}), got {Text(dual)} - write dual-clip = 3");
        return dual;
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
