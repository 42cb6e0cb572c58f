using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Objectives;

/// <summary>
/// Block diffusion's training (Arriola et al., arXiv 2503.09573, equation 8) as a model with full attention can have it: one block y^k of K tokens is noised, those before it
/// are clean, those behind it are hidden, which is what the sampler sees in that block:
/// L = (1/B) sum_b (1/n_k) sum_{j in k, masked} -log p(y_j | x, y^{&lt;k}, y^k_t) / t_b.
/// </summary>
/// <remarks>
/// The block is that of a token drawn uniformly, so the expectation is the sum over all blocks divided by the answer's length, also where the last block is shorter.
/// Departures: 1. one block per example and step instead of all at once, which needs block-causal attention; 2. hidden blocks stand as masks on the canvas, so that training sees
/// what decoding sees; 3. t is stratified over the batch and not clipped.
/// </remarks>
/// <param name="blockLength">K: the sampler's</param>
public sealed class BlockObjective(int blockLength) : ISupervisedObjective
{
    public NoisyBatch Noise(TransformerModel model, IReadOnlyList<SupervisedExample> examples, StepNoise noise) =>
        noise.Mask(model, examples, [.. examples.Select((example, b) => Blocks.Drawn(example, blockLength, noise, b, examples.Count))]);
}

/// <summary>An answer in the sampler's blocks.</summary>
internal static class Blocks
{
    /// <summary>The noise of one block, drawn in proportion to its length.</summary>
    public static AnswerNoise Drawn(SupervisedExample example, int blockLength, StepNoise noise, int row, int rows)
    {
        var length = example.Answer.Count;
        var first = (int)(noise.Uniform(NoiseDraw.Block, row) * length) / blockLength * blockLength;
        return new(noise.MaskRatio(row, rows), first, Math.Min(length, first + blockLength));
    }
}
