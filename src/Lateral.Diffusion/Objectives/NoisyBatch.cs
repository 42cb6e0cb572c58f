using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Objectives;

/// <summary>A prompt with the answer that a supervised model shall learn to give, as token ids.</summary>
public sealed record SupervisedExample(IReadOnlyList<int> Prompt, IReadOnlyList<int> Answer);

/// <summary>
/// Examples with part of their answers masked: what the model sees, where it is asked, what would be right, and what each question weighs.
/// </summary>
/// <param name="Ids_BL">Row by row, right-padded to <paramref name="Length"/>; masked positions hold the mask token.</param>
/// <param name="Attend_BL">True where a token is real; null when no row is padded.</param>
/// <param name="Rows_N">Positions that are masked and asked about as b * Length + i, ascending.</param>
/// <param name="Targets_N">The tokens under these masks.</param>
/// <param name="Weights_N">1 / (p_b * noised tokens * B): so the weighted sum of cross-entropies estimates the likelihood bound per answer token.</param>
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
        IReadOnlyList<SupervisedExample> examples, IReadOnlyList<double> maskRatios, Func<int, int, double> uniform, double minimumMaskRatio, int maskToken, int padToken) =>
        Mask(examples, [.. examples.Select((example, b) => AnswerNoise.Whole(maskRatios[b], example))], uniform, minimumMaskRatio, maskToken, padToken);

    /// <summary>The same for the part of each answer that its noise names; what stands behind that part is hidden.</summary>
    /// <inheritdoc cref="Mask(IReadOnlyList{SupervisedExample}, IReadOnlyList{double}, Func{int, int, double}, double, int, int)"/>
    public static NoisyBatch Mask(
        IReadOnlyList<SupervisedExample> examples, IReadOnlyList<AnswerNoise> noises, Func<int, int, double> uniform, double minimumMaskRatio, int maskToken, int padToken)
    {
        var length = examples.Max(example => example.Prompt.Count + example.Answer.Count);
        var ids = new long[examples.Count * length];
        Array.Fill(ids, padToken);
        var attend = new bool[ids.Length];
        var (rows, targets, weights) = (new List<long>(), new List<long>(), new List<float>());
        for (var b = 0; b < examples.Count; b++)
        {
            var (prompt, answer, noise) = (examples[b].Prompt, examples[b].Answer, noises[b]);
            var p = ((1 - minimumMaskRatio) * noise.MaskRatio) + minimumMaskRatio;
            for (var i = 0; i < prompt.Count + answer.Count; i++)
            {
                var (at, j) = ((b * length) + i, i - prompt.Count);
                var asked = j >= noise.First && j < noise.End && uniform(b, j) < p;
                ids[at] = asked || j >= noise.End ? maskToken : j < 0 ? prompt[i] : (noise.Shown ?? answer)[j];
                attend[at] = true;
                if (!asked) continue;
                rows.Add(at);
                targets.Add(answer[j]);
                weights.Add((float)(1 / (p * (noise.End - noise.First) * examples.Count)));
            }
        }

        return new(examples.Count, length, ids, attend.Contains(false) ? attend : null, [.. rows], [.. targets], [.. weights]);
    }

    /// <summary>Nothing is masked and every answer token is asked about, at 1 / (its answer's length * B).</summary>
    public static NoisyBatch Clean(IReadOnlyList<SupervisedExample> examples, int padToken)
    {
        var masked = Mask(examples, [.. examples.Select(example => AnswerNoise.Whole(1, example))], (_, _) => 0, 0, padToken, padToken);
        var ids = masked.Ids_BL.ToArray();
        foreach (var (row, target) in masked.Rows_N.Zip(masked.Targets_N)) ids[row] = target;
        return masked with { Ids_BL = ids };
    }

    /// <summary>Tokens and attention as tensors, [B, L]; no attention where no row is padded.</summary>
    public (Tensor Ids_BL, Tensor? Attend_BL) ToDevice(Device device) =>
        (HostTensor.Of(Ids_BL, Batch, Length).to(device), Attend_BL is { } attend ? HostTensor.Of(attend, Batch, Length).to(device) : null);
}
