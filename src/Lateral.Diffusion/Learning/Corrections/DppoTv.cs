using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="TvLimit">how far a token's probability may have moved in the direction that the advantage pushes it, in [0, 1]</param>
/// <param name="RatioCap">C, most that a ratio weighs</param>
/// <param name="DriftPenalty">tau of tau (log rho)^2</param>
public sealed record DppoTvSettings(double TvLimit, double RatioCap, double DriftPenalty)
{
    public static DppoTvSettings From(MethodSettings method) => new(method["tv-limit"], method["ratio-cap"], method["drift-penalty"]);
}

/// <summary>
/// A trust region of total variation instead of a ratio: loss = -M A sg[min(rho, C)] log pi + tau (log rho)^2, where M drops a token whose
/// probability has already moved by more than the limit the way that A pushes it. A rare token may change its ratio freely, a common one may not.
/// </summary>
public sealed class DppoTv(DppoTvSettings settings) : ICorrection
{
    public string Name => "dppo-tv";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var moved_U = logp_U.detach().exp().Minus(units.Behaviour_U.exp());
        var pushed_U = where(Ratios.Positive(units.Advantage_U), moved_U, moved_U.neg());
        var kept_U = pushed_U.AtMost(settings.TvLimit);
        var weight_U = Ratios.Of(logp_U.detach(), units.Behaviour_U).Limited(0, settings.RatioCap).Times(kept_U.to(logp_U.dtype));
        var drift_U = logp_U.Minus(units.Behaviour_U).Squared().Times(settings.DriftPenalty);
        return new(weight_U.Times(units.Advantage_U).Times(logp_U).neg().Plus(drift_U), kept_U.logical_not());
    }
}
