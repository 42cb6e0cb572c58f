using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Values;

/// <summary>
/// A value's squared error, clipped like a ratio (Schulman et al., arXiv 1707.06347, as PPO's code has it; TraceRL, arXiv 2509.06949):
/// 1/2 max[(V - R)^2, (clip(V, V_old - c, V_old + c) - R)^2]. N tokens.
/// </summary>
internal static class ValueLoss
{
    /// <param name="clip">c; 0 = the squared error alone</param>
    /// <returns>[N] differentiable in <paramref name="value_N"/></returns>
    public static Tensor Of(Tensor value_N, Tensor old_N, Tensor return_N, double clip)
    {
        var plain_N = value_N.Minus(return_N).Squared();
        if (clip == 0) return plain_N.DividedBy(2);
        var near_N = minimum(maximum(value_N, old_N.Minus(clip)), old_N.Plus(clip));
        return maximum(plain_N, near_N.Minus(return_N).Squared()).DividedBy(2);
    }
}
