using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="ClipEpsilon">e of the ratio to the proximal policy</param>
/// <param name="RatioLow">a completion whose proximal-to-behaviour ratio is below is dropped</param>
/// <param name="RatioHigh">and above</param>
public sealed record MaskedSequencesSettings(double ClipEpsilon, double RatioLow, double RatioHigh)
{
    public static MaskedSequencesSettings From(MethodSettings method) => new(method["clip-epsilon"], method["ratio-low"], method["ratio-high"]);
}

/// <summary>
/// Masked importance sampling by completion (MIS): a completion is kept whole or dropped whole, by the product of its units' ratios or by
/// their geometric mean: loss = 1[l &lt;= rho'_seq &lt;= u] max(-A r, -A clip(r, 1 - e, 1 + e)).
/// </summary>
/// <param name="geometric">the mean of the log ratios instead of their sum: independent of the length, and therefore in a far narrower band</param>
public sealed class MaskedSequences(MaskedSequencesSettings settings, bool geometric) : ICorrection
{
    public string Name => geometric ? "mis-geometric" : "mis";

    public bool Separable => false;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var proximal_U = units.Proximal(logp_U);
        var logRatio_U = proximal_U.Minus(units.Behaviour_U);
        // With a subset of the states the weights make the sum an unbiased estimate.
        var sequence_U = geometric ? Ratios.MeanOfSequence(logRatio_U, units) : Ratios.SumOfSequence(logRatio_U.Times(units.Weight_U), units);
        var kept_U = Ratios.Within(Ratios.Of(sequence_U, zeros_like(sequence_U)), settings.RatioLow, settings.RatioHigh);
        return Ratios.Weighted(Ratios.Clip(Ratios.Of(logp_U, proximal_U), units.Advantage_U, settings.ClipEpsilon, settings.ClipEpsilon), kept_U);
    }
}
