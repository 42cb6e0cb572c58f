namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// Views that share one forward, packed for the device. B views, L the longest canvas, N scored tokens.
/// </summary>
/// <param name="Ids">[B * L] token ids; PAD columns hold MASK and are not attended</param>
/// <param name="Lengths">[B] canvas lengths</param>
/// <param name="Rows">[N] index into B * L of each scored token</param>
/// <param name="Tokens">[N] the token revealed there</param>
/// <param name="Behaviour">[N] its recorded natural log-prob</param>
/// <param name="Weights">[N] the view's weight</param>
/// <param name="Rollouts">[N] index of the trajectory in its batch</param>
public sealed record MicroBatch(
    int Views, int Length, double[] Ids, int[] Lengths, double[] Rows, double[] Tokens, double[] Behaviour, double[] Weights, int[] Rollouts)
{
    /// <summary>Whether some canvas is shorter than L.</summary>
    public bool Padded => Array.Exists(Lengths, length => length != Length);

    /// <summary>
    /// Cuts views into micro-batches of at most <paramref name="tokenBudget"/> tokens, padding included (a longer view stands
    /// alone). Views of one length lie together; the cut is a pure function of the views.
    /// </summary>
    public static IEnumerable<MicroBatch> Cut(IEnumerable<StateView> views, int tokenBudget, int maskId)
    {
        var pending = new List<StateView>();
        // A stable sort: the longest canvas of a micro-batch is its last.
        foreach (var view in views.OrderBy(view => view.Length))
        {
            if (pending.Count > 0 && (pending.Count + 1) * view.Length > tokenBudget)
            {
                yield return Pack(pending, maskId);
                pending.Clear();
            }

            pending.Add(view);
        }

        if (pending.Count > 0) yield return Pack(pending, maskId);
    }

    private static MicroBatch Pack(List<StateView> views, int maskId)
    {
        var length = views[^1].Length;
        var ids = new double[views.Count * length];
        Array.Fill(ids, maskId);
        var (rows, tokens, behaviour, weights, rollouts) = (new List<double>(), new List<double>(), new List<double>(), new List<double>(), new List<int>());
        for (var b = 0; b < views.Count; b++)
        {
            var view = views[b];
            view.WriteCanvas(ids.AsSpan(b * length, length), maskId);
            foreach (var position in view.Revealed())
            {
                rows.Add(b * length + view.Trajectory.Prompt.Length + position);
                tokens.Add(view.Trajectory.Tokens[position]);
                behaviour.Add(view.Trajectory.TokenLogProbs[position]);
                weights.Add(view.Weight);
                rollouts.Add(view.Rollout);
            }
        }

        return new(views.Count, length, ids, [.. views.Select(view => view.Length)], [.. rows], [.. tokens], [.. behaviour], [.. weights], [.. rollouts]);
    }
}
