using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Objectives;

/// <summary>The autoregressive twin's: nothing is masked, every token of the answer is asked about, L = (1/B) sum_b (1/n_b) sum_j -log p(y_j | x, y_{&lt;j}).</summary>
public sealed class NextTokenObjective : ISupervisedObjective
{
    public NoisyBatch Noise(TransformerModel model, IReadOnlyList<SupervisedExample> examples, StepNoise noise) => model.Spec.Causal
        ? NoisyBatch.Clean(examples, model.Spec.PadToken ?? 0)
        : throw new ArgumentException("next-token needs a model with causal attention: one that sees the answer has nothing to learn from it", nameof(model));
}
