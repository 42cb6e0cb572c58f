using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Objectives;

/// <summary>
/// LLaDA's supervised fine-tuning (Nie et al., arXiv 2502.09992, section 2.3): the prompt stays clean, every token of the answer is masked with probability t and asked
/// about: L = (1/B) sum_b (1/n_b) sum_{j masked} -log p(y_j | x, y_t) / t_b.
/// </summary>
/// <remarks>Departure from the released code: 1. t is stratified over the batch.</remarks>
public sealed class MaskedObjective : ISupervisedObjective
{
    public NoisyBatch Noise(TransformerModel model, IReadOnlyList<SupervisedExample> examples, StepNoise noise) =>
        noise.Mask(model, examples, [.. examples.Select((example, b) => AnswerNoise.Whole(noise.MaskRatio(b, examples.Count), example))]);
}
