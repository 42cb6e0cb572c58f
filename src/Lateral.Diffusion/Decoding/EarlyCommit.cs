using Lateral.Diffusion.Likelihoods;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>
/// Prophet (Li et al., arXiv 2508.19982): once the two most probable tokens of the answer's positions are far enough apart, all that is masked is filled and decoding ends. The answer's place has to be
/// known, as after a suffix in the prompt.
/// </summary>
/// <param name="AnswerStart">its first position in the canvas, the prompt's included</param>
/// <param name="AnswerLength">positions that are looked at</param>
public sealed record EarlyCommit(int AnswerStart, int AnswerLength)
{
    private const double EarlyPart = .33, MiddlePart = .67;

    /// <summary>Of logits, in the first third of the steps; <see cref="Middle"/> and <see cref="Late"/> in the others.</summary>
    public double Early { get; init; } = 7.5;

    public double Middle { get; init; } = 5;

    public double Late { get; init; } = 2.5;

    /// <param name="hidden_BGD">of the completion's positions</param>
    /// <param name="progress">this step's number, from 1, of all</param>
    /// <remarks>Reads one number back: whether to go on cannot be decided on the device.</remarks>
    internal bool Decides(DecodingCanvas canvas, Tensor hidden_BGD, double progress)
    {
        var first = AnswerStart - canvas.Begin;
        if (first < 0 || AnswerLength < 1 || first + AnswerLength > hidden_BGD.shape[1]) throw new DecodingException($"the answer's positions {AnswerStart} to {AnswerStart + AnswerLength - 1} are not all in the completion, {canvas.Begin} to {canvas.End - 1}");
        // The mean difference of the two largest logits.
        var gap = OutputDistribution.Margin(canvas.Logits(hidden_BGD.narrow(1, first, AnswerLength))).mean().cpu().item<float>();
        return gap >= (progress < EarlyPart ? Early : progress < MiddlePart ? Middle : Late);
    }
}
