using System.Globalization;
using Lateral.Configuration;
using Lateral.Core.Learning;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary><c>algorithm {}</c>, <c>learner {}</c> and <c>warmup {}</c>.</summary>
internal static class LearnerSection
{
    private const double LeastRate = 1e-12, LargestBeta = 0.999999;

    public static IReadOnlyCollection<string> Decays { get; } = ["constant", "linear", "cosine"];

    public static LearnerSettings Read(ConfigReader config)
    {
        var (algorithm, learner) = (config.Section("algorithm"), config.Section("learner"));
        var schedule = algorithm.Section("lr-schedule");
        var likelihood = MethodSection.Read(config, "likelihoods", algorithm, "likelihood", LikelihoodRules.All);
        var correction = MethodSection.Read(config, "corrections", algorithm, "correction", CorrectionRules.All);
        var (advantage, critic) = (algorithm.OneOf("advantage", [.. Advantages.Names]), ReadCritic(algorithm.Section("critic")));
        return new LearnerSettings(
            likelihood, ReadUnit(algorithm, LikelihoodRules.ByName(likelihood.Name)), correction,
            advantage, algorithm.Double("lr", LeastRate, 1), schedule.Int("warmup-steps", 0, 1_000_000), schedule.OneOf("decay", Decays), schedule.Double("final-fraction", 0, 1),
            algorithm.Double("beta1", 0, LargestBeta), algorithm.Double("beta2", 0, LargestBeta), algorithm.Double("adam-epsilon", 1e-16, 0.01), algorithm.Double("weight-decay", 0, 1),
            algorithm.Double("max-grad-norm", 0), algorithm.Int("updates", 1, 64),
            learner.Int("shards", 1, 1024), learner.Int("micro-batch-tokens", 1, 1 << 24))
        {
            ActivationCheckpointing = learner.Bool("activation-checkpointing"),
            Kl = ReadKl(algorithm.Section("kl")),
            UnmaskingRate = algorithm.Double("unmasking-rate", 1e-3, 1e3),
            Train = algorithm.OneOf("train", ["both", "token", "unmasking"]) switch { "token" => TrainedPolicy.Token, "unmasking" => TrainedPolicy.Unmasking, _ => TrainedPolicy.Both },
            GuessWeight = algorithm.Double("guess-weight", 0, 1e6),
            Critic = advantage == Advantages.ValueModel ? critic : null,
        };
    }

    public static SpikeSettings ReadSpikes(ConfigReader spikes) => new(
        spikes.OneOf("answer", ["continue", "pause", "roll-back"]) switch { "pause" => SpikeAnswer.Pause, "roll-back" => SpikeAnswer.RollBack, _ => SpikeAnswer.Continue },
        spikes.Double("z-score", 0, 1e6), spikes.Int("window", 10, 1000));

    /// <summary>The rise is cut to the warm-up's length, so that a shorter warm-up needs one key, not two.</summary>
    public static WarmupSettings ReadWarmup(ConfigReader config)
    {
        var warmup = config.Section("warmup");
        var objective = MethodSection.Read(config, "objectives", warmup, "objective", SupervisedRules.All);
        var steps = warmup.Int("steps", 0, 1_000_000);
        return new WarmupSettings(steps, warmup.Int("batch", 1, 65_536), warmup.Double("lr", LeastRate, 1), Math.Min(steps, warmup.Int("lr-warmup-steps", 0, 1_000_000))) { Objective = objective };
    }

    /// <summary>null = the likelihood's usual one.</summary>
    private static RatioGranularity ReadUnit(ConfigReader algorithm, LikelihoodRule likelihood)
    {
        if (!algorithm.Has("granularity")) return likelihood.Units[0];
        var unit = Granularities.ByName(algorithm.OneOf("granularity", [.. Granularities.Names]));
        if (likelihood.Units.Contains(unit)) return unit;
        algorithm.Error(
            "granularity", $"must be {string.Join(" or ", likelihood.Units.Select(Granularities.NameOf))} with likelihood = {likelihood.Name}, got {Granularities.NameOf(unit)}: it has no value of a {Granularities.Words(unit)} - "
            + $"write granularity = {Granularities.NameOf(likelihood.Units[0])}");
        return likelihood.Units[0];
    }

    private static CriticSettings ReadCritic(ConfigReader critic) => new(critic.Double("gamma", 0, 1), critic.Double("lambda", 0, 1), critic.Double("lr", LeastRate, 1), critic.Double("clip", 0, 1e6));

    private static KlSettings ReadKl(ConfigReader kl) => new(kl.Double("coefficient", 0, 1e6), kl.OneOf("estimator", KlSettings.Estimators), kl.OneOf("anchor", KlSettings.Anchors));
}
