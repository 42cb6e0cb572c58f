namespace Lateral.Diffusion.Objectives;

/// <summary>
/// What becomes of one example's answer: tokens before <paramref name="First"/> stay clean, those up to <paramref name="End"/> are masked at a ratio and asked about, those
/// from there on are hidden.
/// </summary>
/// <param name="MaskRatio">t in [0, 1]</param>
/// <example><c>new(0.5, 2, 4)</c> of the answer <c>a b c d e f</c>: the model may see <c>a b [M] d [M] [M]</c> and is asked for c.</example>
public readonly record struct AnswerNoise(double MaskRatio, int First, int End)
{
    /// <summary>What stands in the answer where it is not masked; null = the answer itself.</summary>
    public IReadOnlyList<int>? Shown { get; init; }

    /// <summary>The whole answer is noised.</summary>
    public static AnswerNoise Whole(double maskRatio, SupervisedExample example) => new(maskRatio, 0, example.Answer.Count);
}
