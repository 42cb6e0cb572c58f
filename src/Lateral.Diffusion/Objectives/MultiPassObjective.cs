using Lateral.Core.Learning;
using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Objectives;

/// <summary>
/// Multi-pass Diffusion-of-Thought (DoT-MP; Ye et al., arXiv 2402.07754, section 3) for masked diffusion. A pass denoises thought r_i given the source and the thoughts before it;
/// i is random, the answer is the last thought: L = (1/B) sum_b (1/n_i) sum_{j in r_i, masked} -log p(y_j | x, r_{&lt;i}, r_i,t) / t_b.
/// Coupled ("glance") sampling: with a small probability r_i and r_{i+1} are noised together, at one t, and both are asked about, so that the model learns to go on from thoughts
/// before them that are not all there yet, and to mend r_i in the light of r_{i+1}.
/// </summary>
/// <remarks>
/// A thought is a block of the sampler: decoding in passes is denoising block by block, and training cuts an answer where decoding does. What a mask port changes: 1. noise is a mask of
/// ratio t instead of Gaussian noise on embeddings; 2. the thoughts behind stand as masks on the canvas, where each pass of the original has a text of its own; 3. thoughts have a fixed length; 4. glance is a
/// probability of each example, where the released code glances at two of a batch; 5. the thoughts before are gold: scheduled sampling is the objective <c>dot</c>'s; 6. t is stratified over the batch.
/// Without glance it is block diffusion.
/// </remarks>
/// <param name="blockLength">tokens of a thought: the sampler's block</param>
/// <param name="glance">probability that the next thought is noised, too</param>
public sealed class MultiPassObjective(int blockLength, double glance) : ISupervisedObjective
{
    public NoisyBatch Noise(TransformerModel model, IReadOnlyList<SupervisedExample> examples, StepNoise noise) =>
        noise.Mask(model, examples, [.. examples.Select((example, b) => Pass(example, noise, b, examples.Count))]);

    private AnswerNoise Pass(SupervisedExample example, StepNoise noise, int row, int rows)
    {
        var thought = Blocks.Drawn(example, blockLength, noise, row, rows);
        return noise.Uniform(NoiseDraw.Glance, row) < glance ? thought with { End = Math.Min(example.Answer.Count, thought.End + blockLength) } : thought;
    }

    public static MultiPassObjective From(MethodSettings method, int blockLength) => new(blockLength, method["glance"]);
}
