using Lateral.Core;
using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Objectives;

/// <summary>
/// What a model is asked to learn of an example: a rule that noises a batch. The loss is that of <see cref="MaskedLoss"/> for all of them, per token that is asked about.
/// </summary>
public interface ISupervisedObjective
{
    /// <summary>A pure function of model, examples and noise; changes nothing and records nothing for a backward pass.</summary>
    NoisyBatch Noise(TransformerModel model, IReadOnlyList<SupervisedExample> examples, StepNoise noise);
}

/// <summary>What a random number of a row decides.</summary>
public enum NoiseDraw
{
    Mask = 0,
    MaskRatio = 1,
    Block = 2,
    Gold = 3,
    EarlierRatio = 4,
    EarlierMask = 5,
    Prediction = 6,
    Glance = 7,
}

/// <summary>The random numbers of one step: functions of (seed, step, row, position, what they decide).</summary>
/// <param name="Step">0 to <paramref name="Steps"/> - 1</param>
/// <param name="MinimumMaskRatio">eps of <see cref="NoisyBatch"/></param>
public sealed record StepNoise(CounterRandom Random, int Step, int Steps, double MinimumMaskRatio)
{
    public double Uniform(NoiseDraw draw, int row, int position = 0) => Random.Uniform(RandomStream.Noise, Step, row, position: position, draw: (int)draw);

    /// <summary>t_b = (b + u_b) / B, stratified over the batch, which spreads the mask ratios evenly and so takes most of their noise out of the loss.</summary>
    public double MaskRatio(int row, int rows) => (row + Uniform(NoiseDraw.MaskRatio, row)) / rows;

    /// <summary>Masks as the rows' noises say.</summary>
    public NoisyBatch Mask(TransformerModel model, IReadOnlyList<SupervisedExample> examples, IReadOnlyList<AnswerNoise> noises, NoiseDraw draw = NoiseDraw.Mask) =>
        NoisyBatch.Mask(examples, noises, (b, j) => Uniform(draw, b, j), MinimumMaskRatio, model.Spec.MaskToken, model.Spec.PadToken ?? 0);
}
