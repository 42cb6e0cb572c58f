using Lateral.Diffusion.Likelihoods;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// An ordered draw without replacement in proportion to exp(score), by the Gumbel trick: the K largest of score - log(-log u) are such a draw, in its order.
/// </summary>
internal static class PlackettLuceDraw
{
    /// <param name="uniforms">[C] one number per candidate; none = the K largest scores, which is the most probable draw</param>
    /// <param name="chosen">[K] receives the candidates in the order of the draw</param>
    /// <returns>natural log-probability of the draw; 0 where all candidates are taken, which is certain under any weights</returns>
    public static float Take(ReadOnlySpan<double> scores, ReadOnlySpan<double> uniforms, Span<int> chosen)
    {
        var keys = scores.ToArray();
        for (var c = 0; c < uniforms.Length; c++) keys[c] -= Math.Log(-Math.Log(1 - uniforms[c]));
        TopK.Indices<double>(keys, chosen);
        chosen.Sort((a, b) => keys[b].CompareTo(keys[a]));
        return chosen.Length == scores.Length ? 0 : (float)PlackettLuce.LogProb(scores, chosen);
    }
}
