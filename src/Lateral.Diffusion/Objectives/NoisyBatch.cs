using Lateral.Core;
using Lateral.Diffusion.Tensors;

namespace Lateral.Diffusion.Objectives;

/// <summary>A prompt with the answer that a supervised model shall learn to give, as token ids.</summary>
public sealed record SupervisedExample(IReadOnlyList<int> Prompt, IReadOnlyList<int> Answer);

/// <summary>
/// Examples with part of their answers masked: what the model sees, where it is asked, what would be right, and what each question weighs.
/// </summary>
/// <param name="Ids_BL">Row by row, right-padded to <paramref name="Length"/>; masked positions hold the mask token.</param>
/// <param name="Attend_BL">True where a token is real; null when no row is padded.</param>
/// <param name="Rows_N">Masked positions as b * Length + i, ascending.</param>
/// <param name="Targets_N">The tokens under the masks.</param>
/// <param name="Weights_N">1 / (p_b * answer length * B): so the weighted sum of cross-entropies estimates the likelihood bound per answer token.</param>
/// <example>
/// Two rows "7 3 -> 3 7" with mask 10, row 0 masked at t = 1 and row 1 unmasked:
/// `new(2, 4, [7, 3, 10, 10, 7, 3, 3, 7], null, [2, 3], [3, 7], [0.25f, 0.25f])`
/// </example>
public sealed record NoisyBatch(int Batch, int Length, long[] Ids_BL, bool[]? Attend_BL, long[] Rows_N, long[] Targets_N, float[] Weights_N)
{
    /// <summary>
    /// Masks every answer token of row b independently with probability p_b = (1 - eps) t_b + eps; the prompt stays clean.
    /// </summary>
    /// <param name="maskRatios">t_b in [0, 1] per example.</param>
    /// <param name="uniform">u(b, j) in [0, 1) for answer token j of row b; it is masked when u &lt; p_b.</param>
    /// <param name="minimumMaskRatio">eps: 1e-3 in LLaDA; 0 makes p = t.</param>
    public static NoisyBatch Mask(
        IReadOnlyList<SupervisedExample> examples, IReadOnlyList<double> maskRatios, Func<int, int, double> uniform, double minimumMaskRatio, int maskToken, int padToken)
    {
        var length = examples.Max(example => example.Prompt.Count + example.Answer.Count);
        var ids = new long[examples.Count * length];
        Array.Fill(ids, padToken);
        var attend = new bool[ids.Length];
        var (rows, targets, weights) = (new List<long>(), new List<long>(), new List<float>());
        for (var b = 0; b < examples.Count; b++)
        {
            var (prompt, answer) = (examples[b].Prompt, examples[b].Answer);
            var p = ((1 - minimumMaskRatio) * maskRatios[b]) + minimumMaskRatio;
            for (var i = 0; i < prompt.Count + answer.Count; i++)
            {
                var (at, j) = ((b * length) + i, i - prompt.Count);
                var token = j < 0 ? prompt[i] : answer[j];
                var masked = j >= 0 && uniform(b, j) < p;
                ids[at] = masked ? maskToken : token;
                attend[at] = true;
                if (!masked) continue;
                rows.Add(at);
                targets.Add(token);
                weights.Add((float)(1 / (p * answer.Count * examples.Count)));
            }
        }

        return new(examples.Count, length, ids, attend.Contains(false) ? attend : null, [.. rows], [.. targets], [.. weights]);
    }

    /// <summary>
    /// Masks as the random key says: t_b = (b + u_b) / B, stratified over the batch, which spreads the mask ratios evenly and so takes most
    /// of their noise out of the loss.
    /// </summary>
    /// <param name="step">with row and position, the key of the noise</param>
    public static NoisyBatch MaskStratified(IReadOnlyList<SupervisedExample> examples, CounterRandom random, long step, double minimumMaskRatio, int maskToken, int padToken)
    {
        // Draw 1 is the row's mask ratio, draw 0 of each position decides on its token.
        var ratios = examples.Select((_, b) => (b + random.Uniform(RandomStream.Noise, step, b, draw: 1)) / examples.Count).ToArray();
        return Mask(examples, ratios, (b, j) => random.Uniform(RandomStream.Noise, step, b, position: j), minimumMaskRatio, maskToken, padToken);
    }
}
