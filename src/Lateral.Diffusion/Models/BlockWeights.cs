using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>The parameters of one block, or around the blocks, by the names of their parts, such as <c>q_proj</c>, and the linear maps that they are, adapters included.</summary>
internal sealed class BlockWeights(IReadOnlyDictionary<string, (Tensor Weight, LowRank? Adapter)> parts)
{
    public Tensor this[string part] => parts[part].Weight;

    /// <summary>[R, out] of [R, in].</summary>
    public Tensor Linear(string part, Tensor x, Tensor? bias = null) => LowRank.Linear(x, parts[part].Weight, bias, parts[part].Adapter);
}
