namespace Lateral.Diffusion.Objectives;

/// <summary>How the learning rate falls after the warm-up.</summary>
public enum Decay
{
    Constant,
    Linear,
    Cosine,
}

/// <summary>
/// The learning rate of every update: it rises linearly over the warm-up (the first noisy gradients set Adam's scale and must not move
/// far), then falls to a fraction of its peak at the last update.
/// </summary>
/// <param name="Peak">Greatest learning rate.</param>
/// <param name="WarmUp">Updates of the rise; update n (from 0) uses (n + 1) / WarmUp of the peak.</param>
/// <param name="Updates">Updates in all; the fraction is reached at this number and kept afterwards.</param>
/// <param name="FinalFraction">What remains of the peak, 0 to 1.</param>
public sealed record LearningRate(double Peak, int WarmUp, int Updates, Decay Decay, double FinalFraction)
{
    /// <summary>The learning rate of update <paramref name="update"/>, counted from 0.</summary>
    public double At(long update)
    {
        if (update < WarmUp) return Peak * (update + 1) / WarmUp;
        var progress = Math.Clamp((double)(update - WarmUp) / Math.Max(1, Updates - WarmUp), 0, 1);
        var remaining = Decay switch
        {
            Decay.Constant => 1,
            Decay.Linear => 1 - progress,
            Decay.Cosine => (1 + Math.Cos(Math.PI * progress)) / 2,
            _ => throw new InvalidOperationException($"unknown decay {Decay}"),
        };
        return Decay == Decay.Constant ? Peak : Peak * (FinalFraction + ((1 - FinalFraction) * remaining));
    }
}
