using Lateral.Core.Learning;
using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Objectives;

/// <summary>
/// Diffusion-of-Thought (DoT; Ye et al., arXiv 2402.07754, section 3) for masked diffusion. Thoughts and answer are one text y that is denoised jointly; the source x
/// is never noised. Scheduled sampling mends exposure bias: at step i of S the model sees the answer y with probability
/// gold(i) = (1 - floor) (S - i) / S + floor, and otherwise an answer of its own,
/// y^ = (y_j where y_u shows it, else a draw from p(. | x, y_u)), u ~ U(t, 1); either is then masked at t, and the loss asks for y:
/// L = (1/B) sum_b (1/n_b) sum_{j masked} -log p(y_j | x, y^_t) / t_b.
/// </summary>
/// <remarks>
/// What a mask port changes: 1. noise is a mask of ratio t instead of Gaussian noise on embeddings, so only masked tokens are asked about: a wrong token that is shown is
/// context to get over, not a target; 2. u is uniform above t instead of the next points of a grid of 16; 3. tokens are sampled, where the embedding's mean was taken; 4. no self-conditioning:
/// a mask has no estimate to carry over; 5. t is stratified over the batch.
/// </remarks>
/// <param name="goldFloor">what gold falls to; 1 = the gold answer always, which is the masked objective</param>
public sealed class ThoughtObjective(double goldFloor) : ISupervisedObjective
{
    /// <summary>Probability that a row of step <paramref name="step"/> (from 0) sees its gold answer.</summary>
    public double GoldProbability(int step, int steps) => ((1 - goldFloor) * (steps - step) / steps) + goldFloor;

    public NoisyBatch Noise(TransformerModel model, IReadOnlyList<SupervisedExample> examples, StepNoise noise)
    {
        AnswerNoise[] noises = [.. examples.Select((example, b) => AnswerNoise.Whole(noise.MaskRatio(b, examples.Count), example))];
        var gold = GoldProbability(noise.Step, noise.Steps);
        int[] own = [.. Enumerable.Range(0, examples.Count).Where(b => noise.Uniform(NoiseDraw.Gold, b) >= gold)];
        if (own.Length > 0) ShowPredictions(model, examples, noise, noises, own);
        return noise.Mask(model, examples, noises);
    }

    /// <param name="rows">of the batch, those that see what the model makes of their noisier answers</param>
    private static void ShowPredictions(TransformerModel model, IReadOnlyList<SupervisedExample> examples, StepNoise noise, AnswerNoise[] noises, int[] rows)
    {
        // Only these rows are forwarded; their draws are still those of their places in the batch.
        AnswerNoise[] earlier = [.. rows.Select(b => noises[b] with { MaskRatio = noises[b].MaskRatio + ((1 - noises[b].MaskRatio) * noise.Uniform(NoiseDraw.EarlierRatio, b)) })];
        var noisier = NoisyBatch.Mask(
            [.. rows.Select(b => examples[b])], earlier, (i, j) => noise.Uniform(NoiseDraw.EarlierMask, rows[i], j), noise.MinimumMaskRatio, model.Spec.MaskToken, model.Spec.PadToken ?? 0);
        var at = noisier.Rows_N.Select(row => (Row: (int)(row / noisier.Length), Position: (int)(row % noisier.Length) - examples[rows[row / noisier.Length]].Prompt.Count)).ToArray();
        var tokens = PredictedTokens.Draw(model, noisier, [.. at.Select(place => noise.Uniform(NoiseDraw.Prediction, rows[place.Row], place.Position))]);
        var shown = rows.Select(b => examples[b].Answer.ToArray()).ToArray();
        foreach (var (place, token) in at.Zip(tokens)) shown[place.Row][place.Position] = token;
        for (var i = 0; i < rows.Length; i++) noises[rows[i]] = noises[rows[i]] with { Shown = shown[i] };
    }

    public static ThoughtObjective From(MethodSettings method) => new(method["gold-floor"]);
}
