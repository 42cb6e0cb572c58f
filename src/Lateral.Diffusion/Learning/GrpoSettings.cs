using Lateral.Core.Learning;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Learning;

/// <summary>What a learner needs besides its batches.</summary>
/// <param name="RunDirectory">holds <c>policies/</c> and <c>checkpoints/</c></param>
/// <param name="Device">for example <c>cpu</c> or <c>cuda:0</c></param>
/// <param name="Seed">the run's seed</param>
/// <param name="Steps">learner steps of the whole run: the schedule's length</param>
/// <param name="Temperature">the rollouts' temperature; mu is tempered by it, so pi is too</param>
/// <param name="KeepCheckpoints">newest checkpoints kept besides step 0</param>
public sealed record GrpoSettings(
    string RunDirectory, string Device, ulong Seed, int Steps, double Temperature, int KeepCheckpoints, LearnerSettings Algorithm, WarmupSettings Warmup)
{
    /// <summary>The training prompt of group 0: random draws are keyed by the prompt, not by its place in this run.</summary>
    public long FirstPrompt { get; init; }

    /// <summary>How the sampler reveals, where that is part of the likelihood, and in which blocks, which supervised objectives share; null = neither.</summary>
    public RolloutSpec? Rollout { get; init; }

    /// <summary>What batches are weighed by; null where a critic says so.</summary>
    internal IAdvantage? Advantage => Algorithm.Critic is null ? Advantages.Of(Algorithm, Rollout?.Hints is not null) : null;

    /// <summary>A checkpoint's folder whose weights and optimizer become version 0; null = the model as built, warmed up.</summary>
    public string? Base { get; init; }

    /// <returns>this, where every setting is in its range</returns>
    /// <exception cref="ArgumentException">which one is not, and why</exception>
    public GrpoSettings Checked()
    {
        Require(nameof(Temperature), Temperature > 0, $"temperature {Temperature}: a greedy policy has no importance ratio; sample above 0");
        Require(nameof(Steps), Steps >= 0, $"run steps {Steps} must not be negative");
        Require(nameof(KeepCheckpoints), KeepCheckpoints > 0, $"keep-last {KeepCheckpoints} must be positive");
        Require(nameof(Algorithm), Algorithm.Shards > 0 && Algorithm.Updates > 0 && Algorithm.MicroBatchTokens > 0, "shards, updates and micro-batch-tokens must be positive");
        Require(nameof(Algorithm), Algorithm.MaxGradNorm >= 0, "max-grad-norm must not be negative");
        return this;

        static void Require(string setting, bool holds, string rule)
        {
            if (!holds) throw new ArgumentException(rule, setting);
        }
    }
}
