using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>What a rollout's shape says about each denoising step, before anything is sampled.</summary>
public static class DenoisingPlan
{
    /// <summary>The block that is denoised at a step; blocks go left to right.</summary>
    public static int BlockOf(RolloutSpec spec, int step) => step / spec.StepsPerBlock;

    /// <summary>
    /// Positions a step reveals: n / s, and one more in the first n % s steps of a block of n positions and s steps
    /// (LLaDA's get_num_transfer_tokens).
    /// </summary>
    public static int QuotaOf(RolloutSpec spec, int step) => QuotaOf(spec.BlockLength, spec.StepsPerBlock, step % spec.StepsPerBlock);

    /// <summary>The same of any number of positions.</summary>
    /// <param name="step">of the block's</param>
    public static int QuotaOf(int positions, int steps, int step)
    {
        var (each, extra) = Math.DivRem(positions, steps);
        return each + (step < extra ? 1 : 0);
    }

    /// <summary>Refuses shapes that cannot be denoised.</summary>
    /// <exception cref="ArgumentException">which length does not fit, and what would</exception>
    public static void Validate(RolloutSpec spec)
    {
        if (spec.GenLength < 1 || spec.BlockLength < 1 || spec.GenLength % spec.BlockLength != 0)
            throw Wrong(nameof(spec), $"gen-length {spec.GenLength} must be a positive multiple of block-length {spec.BlockLength}");
        if (spec.Steps < spec.Blocks || spec.Steps % spec.Blocks != 0)
            throw Wrong(nameof(spec), $"steps {spec.Steps} must be a positive multiple of the {spec.Blocks} blocks of {spec.BlockLength} tokens");
        if (spec.StepsPerBlock > spec.BlockLength)
            throw Wrong(nameof(spec), $"{spec.StepsPerBlock} steps for a block of {spec.BlockLength} tokens would leave steps that reveal nothing; at most {spec.GenLength} steps");
        if (!(spec.Temperature >= 0 && double.IsFinite(spec.Temperature)))
            throw Wrong(nameof(spec), $"temperature {spec.Temperature} must be 0 (greedy) or positive");
    }

    private static ArgumentException Wrong(string parameter, string what) => new($"rollout cannot be denoised: {what}", parameter);
}
