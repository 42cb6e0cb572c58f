namespace Lateral.Core.Learning;

/// <summary>Supervised training of the base model (LLaDA's masked objective); 0 steps keep the weights as loaded.</summary>
/// <param name="Batch">examples per step</param>
/// <param name="LearningRate">peak; warmed up over <paramref name="LrWarmup"/> steps, then cosine to a tenth</param>
public sealed record WarmupSettings(int Steps, int Batch, double LearningRate, int LrWarmup);

/// <summary>GRPO on recorded trajectories; defaults and ranges stand in hocon/reference.conf.</summary>
/// <param name="Correction">off-policy correction by name, see <see cref="CorrectionRules"/></param>
/// <param name="ClipEpsilon">half-width of the ratio's trust region, in the range of the ratio's granularity</param>
/// <param name="DualClip">bound on the ratio's weight for negative advantages; 0 = off</param>
/// <param name="Schedule"><c>constant</c>, <c>linear</c> or <c>cosine</c> decay to <paramref name="FinalFraction"/> of the peak at the run's last step</param>
/// <param name="Updates">optimizer updates per batch</param>
/// <param name="Shards">fixed gradient shards a batch is cut into; the weights depend on it, never on ranks or micro-batches</param>
/// <param name="MicroBatchTokens">tokens of one forward at most</param>
/// <param name="StepSubset">K of the T recorded states to replay, an unbiased subset; 0 = all</param>
/// <param name="MaxGradNorm">global L2 norm the gradient is clipped to; 0 = off</param>
public sealed record LearnerSettings(
    string Correction, double ClipEpsilon, double DualClip, string Advantage,
    double LearningRate, int LrWarmup, string Schedule, double FinalFraction,
    double Beta1, double Beta2, double AdamEpsilon, double WeightDecay, double MaxGradNorm,
    int Updates, int Shards, int MicroBatchTokens, int StepSubset);
