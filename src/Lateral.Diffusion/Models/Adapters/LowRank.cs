using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>What an adapter adds to a linear map: y = W x + scale * B (A x) (LoRA, Hu et al., arXiv 2106.09685, equation 3).</summary>
/// <param name="A">[rank, in]</param>
/// <param name="B">[out, rank]</param>
internal sealed record LowRank(Tensor A, Tensor B, double Scale)
{
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias, LowRank? adapter)
    {
        var y = nn.functional.linear(x, weight, bias);
        if (adapter is null) return y;
        // Adapters are kept in float32 whatever the base's type.
        return y.Plus(nn.functional.linear(nn.functional.linear(x.to_type(adapter.A.dtype), adapter.A), adapter.B).Times(adapter.Scale).to_type(y.dtype));
    }

    /// <summary>W with the adapter in it, in W's type.</summary>
    public Tensor Merged(Tensor weight) => weight.to_type(A.dtype).Plus(B.mm(A).Times(Scale)).to_type(weight.dtype);
}
