using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>How ReMDM completes a prompt: every step draws for each position by itself whether it is decoded, or masked again. The paper samples at temperature 1 with top-p 0.9.</summary>
/// <param name="Steps">any number: more of them give decoded tokens more chances to be replaced</param>
public sealed record RemaskingSettings(int GenLength, int Steps, RemaskingSchedule Schedule) : DecodingSettings(GenLength)
{
    /// <summary>Only the fewest most probable tokens that together have more than this mass; 1 = all.</summary>
    public double TopP { get; init; } = 1;

    internal RemaskingSettings Checked()
    {
        RequireCommon();
        Require(Steps >= 1, $"steps {Steps} must be positive");
        Require(TopP is > 0 and <= 1, $"top-p {TopP} must be above 0 and at most 1");
        Schedule.Require();
        return this;
    }
}

/// <summary>
/// Remasking diffusion (ReMDM, Wang et al., arXiv 2503.00307): masked diffusion's ancestral sampling in which decoded tokens become masks again, so that a mistake is not final and more steps give better
/// text. The marginals of every time are those of the model's training, so any model that sees everything can be sampled so.
/// </summary>
/// <remarks>
/// Departures from the published code: (1) time ends at 0 with a step that decodes all that is left, where it ends at 1e-5 and fills what is left with the most probable tokens; (2) in a loop, the steps
/// across its two ends go by the same formula as all others. A step's choice of positions asks no model, except by confidence, and its tokens have exact probabilities; but a position may be decoded more
/// than once, and trajectories record one reveal of each: no behaviour log-probabilities. Shapes: B canvases, K positions from the first mask to the last, V vocabulary.
/// </remarks>
public static class RemaskingDecoder
{
    // Of a softmax: as good as minus infinity, and no NaN where nothing else is there.
    private const double Excluded = -1e30;

    /// <inheritdoc cref="SemiAutoregressiveDecoder.Decode(TransformerModel, Tensor, Tensor?, SemiAutoregressiveSettings, Action{Tensor}?)"/>
    public static Tensor Decode(TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, RemaskingSettings settings, Action<Tensor>? seen = null) =>
        Decode(model, prompt_BP, attend_BP, settings, seen, new DecodingDraws(settings.Seed));

    /// <inheritdoc cref="SemiAutoregressiveDecoder.Fill(TransformerModel, Tensor, Tensor?, SemiAutoregressiveSettings, Action{Tensor}?)"/>
    public static Tensor Fill(TransformerModel model, Tensor canvas_BL, Tensor? attend_BL, RemaskingSettings settings, Action<Tensor>? seen = null)
    {
        using var canvas = DecodingCanvas.WithHoles(model, canvas_BL, attend_BL, seen);
        return Run(model, canvas, settings with { GenLength = canvas.End - canvas.Begin }, new DecodingDraws(settings.Seed));
    }

    internal static Tensor Decode(TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, RemaskingSettings settings, Action<Tensor>? seen, DecodingDraws draws)
    {
        settings.Checked();
        using var canvas = DecodingCanvas.Behind(model, prompt_BP, attend_BP, settings.GenLength, seen);
        return Run(model, canvas, settings, draws);
    }

    /// <summary>[B, K] each decoded token's part of a whole: softmax(-p) over those of its canvas.</summary>
    /// <param name="probability_BK">that the tokens had when they were decoded</param>
    internal static Tensor Parts(Tensor probability_BK, Tensor decoded_BK) => probability_BK.neg().Filled(decoded_BK.logical_not(), Excluded).softmax(-1);

    private static Tensor Run(TransformerModel model, DecodingCanvas canvas, RemaskingSettings settings, DecodingDraws draws)
    {
        settings.Checked();
        if (model.Spec.AttentionBlock is not null || model.Spec.Causal) throw new DecodingException($"remasking needs a model that sees everything, and {model.Spec.Family} does not");
        using var quiet = no_grad();
        using var outer = NewDisposeScope();
        var (begin, end, steps) = (canvas.Begin, canvas.End, settings.Steps);
        var open_BK = canvas.Open(begin, end);
        var probability_BK = zeros_like(open_BK, ScalarType.Float32);
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            var (sigma, decode) = RemaskingStep.Of(settings.Schedule, 1 - ((double)step / steps), 1 - ((step + 1.0) / steps));
            var logits_BKV = canvas.Logits(canvas.Hidden(begin, end));
            if (settings.Temperature > 0) logits_BKV = TokenFilter.Of(logits_BKV.DividedBy(settings.Temperature), 0, settings.TopP);
            var tokens_BK = draws.Tokens(logits_BKV, settings.Temperature > 0 ? 1 : 0, step, begin);
            var uniform_BK = draws.Confidences(canvas.Canvases, end - begin, step, begin).to(model.Device);
            Tensor Below(double p) => uniform_BK.lt(zeros_like(uniform_BK).Plus(p));

            var masked_BK = canvas.Masked(begin, end);
            var decoded_BK = open_BK.logical_and(masked_BK.logical_not());
            // The last step leaves no mask, whatever is drawn.
            var shown_BK = step == steps - 1 ? masked_BK : masked_BK.logical_and(Below(decode));
            var again_BK = decoded_BK.logical_and(settings.Schedule.SharedOut ? uniform_BK.lt(Parts(probability_BK, decoded_BK).Times(sigma)) : Below(sigma));
            canvas.Reveal(begin, tokens_BK, shown_BK);
            canvas.Hide(begin, again_BK);
            probability_BK.copy_(where(shown_BK, OutputDistribution.At(logits_BKV.softmax(-1), tokens_BK), probability_BK));
        }

        return canvas.Ids_BL.clone().MoveToOuterDisposeScope();
    }
}
