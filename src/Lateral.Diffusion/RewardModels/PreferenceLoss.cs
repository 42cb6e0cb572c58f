using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.RewardModels;

/// <summary>
/// Who is preferred, as Bradley and Terry (1952) have it: p(chosen over rejected) = sigmoid(r_c - r_r). The loss is its negative logarithm (Ouyang et al., arXiv 2203.02155, equation 1), with a margin by which
/// they are to differ (Llama 2, arXiv 2307.09288, equation 2) and a term that holds rewards around 0, which preferences alone leave anywhere (Eisenstein et al., arXiv 2312.09244):
/// -log sigmoid(r_c - r_r - m) + c (r_c + r_r)^2.
/// </summary>
/// <remarks>Departure: a pair is one comparison, so nothing is divided by the number of comparisons of a prompt; who has K of them gives K rows. P pairs.</remarks>
internal static class PreferenceLoss
{
    /// <param name="margin_P">m, in the unit of rewards; 0 = as Ouyang et al. have it</param>
    /// <param name="centre">c; 0 = rewards may lie anywhere</param>
    /// <returns>[P] differentiable in both rewards</returns>
    public static Tensor Of(Tensor chosen_P, Tensor rejected_P, Tensor margin_P, double centre)
    {
        var loss_P = nn.functional.logsigmoid(chosen_P.Minus(rejected_P).Minus(margin_P)).neg();
        return centre == 0 ? loss_P : loss_P.PlusScaled(chosen_P.Plus(rejected_P).Squared(), centre);
    }
}
