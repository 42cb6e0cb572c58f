using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>Leaves the most probable tokens of a distribution.</summary>
internal static class TokenFilter
{
    /// <param name="topK">how many; 0 = all</param>
    /// <param name="topP">the fewest that together have more than this mass; 1 = all</param>
    /// <returns>[.., V] minus infinity for all others</returns>
    public static Tensor Of(Tensor logits, int topK, double topP)
    {
        if (topP < 1)
        {
            var (sorted, order) = logits.sort(-1, descending: true, stable: true);
            var p = sorted.softmax(-1);
            // A token falls out where those before it have the mass already; so the first never does.
            var outside = p.cumsum(-1).Minus(p).Above(topP);
            logits = logits.Filled(zeros_like(outside).scatter(-1, order, outside), double.NegativeInfinity);
        }

        if (topK <= 0 || topK >= logits.shape[^1]) return logits;
        return logits.Filled(logits.lt(logits.topk(topK, -1).values.narrow(-1, topK - 1, 1)), double.NegativeInfinity);
    }
}
