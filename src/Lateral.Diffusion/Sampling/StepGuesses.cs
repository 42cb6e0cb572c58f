using System.Collections.Immutable;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// What finished rollouts would have answered at once in the state before each of their steps: the likeliest token at every position that was masked then, by the weights that have
/// just finished them (the one-step denoising completions of EGSPO-SA, Kunde et al., arXiv 2603.12554). Asked for behind the rollout and not while it is denoised: a step looks at one block, a guess at all of them.
/// </summary>
/// <param name="alone">a forward for each rollout, so that its guesses do not depend on the others of its batch</param>
internal sealed class StepGuesses(TransformerModel model, ITokenizer tokenizer, int microBatchTokens, bool alone)
{
    /// <remarks>Runs on the device thread.</remarks>
    public IReadOnlyList<Trajectory> Make(IReadOnlyList<Trajectory> finished) =>
        alone ? [.. finished.SelectMany(one => Together([one]))] : Together(finished);

    private IReadOnlyList<Trajectory> Together(IReadOnlyList<Trajectory> finished)
    {
        var (views, first) = (new List<PlacedView>(), 0);
        foreach (var trajectory in finished)
        {
            for (var step = 0; step < trajectory.Steps; step++, first += trajectory.Tokens.Length)
                views.Add(new(StateView.Before(step, trajectory, [.. Masked(trajectory, step).Select(position => new Question(position, position, 1))]), first));
        }

        var guessed = Likeliest(views, first);
        return [.. finished.Select(trajectory => trajectory with { Guesses = [.. Enumerable.Range(0, trajectory.Steps).Select(step => TextOf(trajectory, step))] })];

        string TextOf(Trajectory trajectory, int step)
        {
            int[] tokens = [.. trajectory.Tokens];
            foreach (var position in Masked(trajectory, step)) tokens[position] = guessed.Dequeue();
            return tokenizer.DecodeToEnd(tokens);
        }
    }

    /// <summary>The likeliest token of each question, in the order of views and positions.</summary>
    /// <param name="units">questions' units are below</param>
    private Queue<int> Likeliest(List<PlacedView> views, int units)
    {
        var likeliest = new int?[units];
        foreach (var batch in MicroBatch.Cut(views, microBatchTokens, model.Spec.MaskToken))
        {
            using var scope = NewDisposeScope();
            using var quiet = no_grad();
            var packed = new PackedUpload([batch.Ids, batch.Attended(), batch.Rows], model);
            var ids_BL = packed.Next(ScalarType.Int64).view(batch.Canvases, batch.Length);
            var attended_BL = packed.Next(ScalarType.Bool);
            var rows_RD = model.HiddenRows(ids_BL, packed.Next(ScalarType.Int64), batch.Padded ? attended_BL.view(batch.Canvases, batch.Length) : null);
            var best_R = OutputDistribution.Logits(model, rows_RD).argmax(-1).cpu().data<long>().ToArray();
            foreach (var (n, unit) in batch.Units.Index()) likeliest[unit] = (int)best_R[(int)batch.RowOf[n]];
        }

        return new(likeliest.OfType<int>());
    }

    /// <summary>Tokens that never were revealed stay masked.</summary>
    private static IEnumerable<int> Masked(Trajectory trajectory, int step) =>
        Enumerable.Range(0, trajectory.Tokens.Length).Where(position => trajectory.IsMasked(position, step));
}
