using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="ClipLow">the ratio of a bad rollout counts down to 1 - this</param>
/// <param name="ClipHigh">that of a good one up to 1 + this</param>
public sealed record LogClipSettings(double ClipLow, double ClipHigh)
{
    public static LogClipSettings From(MethodSettings method) => new(method["clip-low"], method["clip-high"]);
}

/// <summary>
/// The clipped surrogate with the clip in the log domain, so that no exponential overflows before it is clipped (EBPO as DARE has it):
/// loss = -A exp(min(log rho, log(1 + eh))) where A >= 0, else -A exp(max(log rho, log(1 - el))).
/// </summary>
public sealed class LogClip(LogClipSettings settings) : ICorrection
{
    private const double LogRatioLimit = 20;

    public string Name => "log-clip";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var logRatio_U = logp_U.Minus(units.Behaviour_U);
        var good_U = logRatio_U.Limited(-LogRatioLimit, Math.Log(1 + settings.ClipHigh));
        var bad_U = logRatio_U.Limited(Math.Log(1 - settings.ClipLow), LogRatioLimit);
        var limited_U = where(Ratios.Positive(units.Advantage_U.neg()), bad_U, good_U);
        return new(limited_U.exp().Times(units.Advantage_U).neg(), limited_U.ne(logRatio_U));
    }
}
