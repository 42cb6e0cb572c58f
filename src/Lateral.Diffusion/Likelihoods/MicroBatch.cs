namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// Views that share one forward, packed for the device: every different canvas once, every different scored row once.
/// B canvases, L the longest, U rows, N scored tokens.
/// </summary>
/// <param name="Ids">[B * L] token ids; columns beyond a canvas hold MASK and are not attended</param>
/// <param name="Lengths">[B] canvas lengths</param>
/// <param name="Rows">[U] index into B * L of each scored row</param>
/// <param name="RowOf">[N] which of the U rows scores the token</param>
/// <param name="Tokens">[N] the token revealed there</param>
/// <param name="Behaviour">[N] its recorded natural log-prob</param>
/// <param name="Weights">[N] the view's weight</param>
/// <param name="Rollouts">[N] index of the trajectory in its batch</param>
public sealed record MicroBatch(
    int Length, double[] Ids, int[] Lengths, double[] Rows, double[] RowOf, double[] Tokens, double[] Behaviour, double[] Weights, int[] Rollouts)
{
    /// <summary>B</summary>
    public int Canvases => Lengths.Length;

    /// <summary>Whether some canvas is shorter than L.</summary>
    public bool Padded => Array.Exists(Lengths, length => length != Length);

    /// <summary>
    /// Cuts views into micro-batches of at most <paramref name="tokenBudget"/> tokens, padding included (a longer canvas stands
    /// alone). Views of one length lie together; the cut is a pure function of the views.
    /// </summary>
    public static IEnumerable<MicroBatch> Cut(IEnumerable<StateView> views, int tokenBudget, int maskId)
    {
        var pending = new List<(StateView View, int Canvas)>();
        var canvases = new Dictionary<int[], int>(CanvasComparer.Instance);
        // A stable sort: the longest canvas of a micro-batch is its last.
        foreach (var view in views.OrderBy(view => view.Length))
        {
            var canvas = view.Canvas(maskId);
            if (!canvases.ContainsKey(canvas) && canvases.Count > 0 && (canvases.Count + 1) * view.Length > tokenBudget)
            {
                yield return Pack(pending, canvases, maskId);
                pending.Clear();
                canvases.Clear();
            }

            canvases.TryAdd(canvas, canvases.Count);
            pending.Add((view, canvases[canvas]));
        }

        if (pending.Count > 0) yield return Pack(pending, canvases, maskId);
    }

    private static MicroBatch Pack(List<(StateView View, int Canvas)> views, Dictionary<int[], int> canvases, int maskId)
    {
        var length = canvases.Keys.Max(canvas => canvas.Length);
        var (ids, lengths) = (new double[canvases.Count * length], new int[canvases.Count]);
        Array.Fill(ids, maskId);
        foreach (var (canvas, b) in canvases)
        {
            lengths[b] = canvas.Length;
            for (var i = 0; i < canvas.Length; i++) ids[b * length + i] = canvas[i];
        }

        var index = new Dictionary<int, int>();
        var (rows, rowOf, tokens, behaviour) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        var (weights, rollouts) = (new List<double>(), new List<int>());
        foreach (var (view, canvas) in views)
        {
            foreach (var position in view.Revealed())
            {
                var row = canvas * length + view.Trajectory.Prompt.Length + position;
                if (index.TryAdd(row, rows.Count)) rows.Add(row);
                rowOf.Add(index[row]);
                tokens.Add(view.Trajectory.Tokens[position]);
                behaviour.Add(view.Trajectory.TokenLogProbs[position]);
                weights.Add(view.Weight);
                rollouts.Add(view.Rollout);
            }
        }

        return new(length, ids, lengths, [.. rows], [.. rowOf], [.. tokens], [.. behaviour], [.. weights], [.. rollouts]);
    }
}
