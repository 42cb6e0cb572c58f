using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="Beta">how much a nat of difference to the reference counts</param>
public sealed record PreferenceSettings(double Beta)
{
    public static PreferenceSettings From(MethodSettings method) => new(method["beta"]);
}

/// <summary>
/// Direct preference optimization (Rafailov et al., arXiv 2305.18290, equation 7) on the best and the worst completion of each group:
/// loss = -log sigmoid(b ((B(y_w) - B_ref(y_w)) - (B(y_l) - B_ref(y_l)))). With an ELBO as B it is VRPO (LLaDA 1.5, Zhu et al., arXiv 2505.19223): policy and reference are
/// scored on the same masks, which takes most of the estimate's variance out of their difference.
/// </summary>
/// <remarks>A advantage of +1 marks y_w, -1 marks y_l; half of a pair's loss stands at each. There is no off-policy ratio: pairs may be of any age.</remarks>
public sealed class DirectPreference(PreferenceSettings settings) : ICorrection
{
    public string Name => "dpo";

    public bool Separable => false;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var (reference_U, group_U) = (units.Reference_U!.detach(), units.Group_U!);
        var margin_G = zeros([units.Groups], logp_U.dtype, logp_U.device).PlusAt(group_U, logp_U.Minus(reference_U).Times(units.Advantage_U));
        var pair_U = nn.functional.logsigmoid(margin_G.Times(settings.Beta)).neg().index_select(0, group_U);
        return new(pair_U.Times(units.Advantage_U.abs()).DividedBy(2), zeros_like(logp_U, ScalarType.Bool));
    }
}

/// <summary>
/// Unpaired preferences (KTO, Ethayarajh et al., arXiv 2402.01306; ELBO-KTO for diffusion models): with h = b (B - B_ref) and
/// z = max(0, mean h) without a gradient, a good completion's loss is 1 - sigmoid(h - z), a bad one's 1 - sigmoid(z - h).
/// </summary>
/// <remarks>The mean is that of a gradient shard.</remarks>
public sealed class UnpairedPreference(PreferenceSettings settings) : ICorrection
{
    public string Name => "kto";

    public bool Separable => false;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var gain_U = logp_U.Minus(units.Reference_U!.detach()).Times(settings.Beta);
        var baseline = gain_U.detach().mean().relu();
        var signed_U = gain_U.Minus(baseline).Times(units.Advantage_U.sign());
        return new(signed_U.sigmoid().neg().Plus(1), zeros_like(logp_U, ScalarType.Bool));
    }
}
