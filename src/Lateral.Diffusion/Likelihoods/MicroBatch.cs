using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// Views that share one forward, packed for the device: every different canvas once, every different scored row once.
/// B canvases, L the longest, R rows, N questions of tokens and behind them D of draws.
/// </summary>
/// <param name="Ids">[B * L] token ids; columns beyond a canvas hold MASK and are not attended</param>
/// <param name="Lengths">[B] canvas lengths</param>
/// <param name="Rows">[R] index into B * L of each scored row</param>
/// <param name="RowOf">[N] which of the R rows answers the question</param>
/// <param name="Tokens">[N] the token whose log-prob is asked for</param>
/// <param name="Positions">[N + D] its place in the completion; 0 for a draw</param>
/// <param name="Units">[N + D] the unit in the shard's table that the answer counts for</param>
/// <param name="Coefficients">[N + D] and how often</param>
/// <param name="Draws">[D] of each draw the rows and tokens of its candidates as <see cref="DrawQuestion.Arranged"/>, and how many were drawn; all of one law</param>
public sealed record MicroBatch(
    int Length, double[] Ids, int[] Lengths, double[] Rows, double[] RowOf, double[] Tokens, double[] Positions, int[] Units, double[] Coefficients, (SelectionLaw Law, int[] Rows, int[] Tokens, int Drawn)[] Draws)
{
    /// <summary>B</summary>
    public int Canvases => Lengths.Length;

    /// <summary>Whether some canvas is shorter than L.</summary>
    public bool Padded => Array.Exists(Lengths, length => length != Length);

    /// <summary>[U] the units it asks about, in the order of their first question.</summary>
    public int[] Asked() => [.. Units.Distinct()];

    /// <summary>
    /// Cuts views into micro-batches of at most <paramref name="tokenBudget"/> tokens, padding included (a longer canvas stands
    /// alone). Views of one length lie together; the cut is a pure function of the views, and the questions' order does not
    /// depend on the budget.
    /// </summary>
    public static IEnumerable<MicroBatch> Cut(IEnumerable<PlacedView> views, int tokenBudget, int maskId)
    {
        var pending = new List<(PlacedView Placed, int Canvas)>();
        var canvases = new Dictionary<int[], int>(CanvasComparer.Instance);
        // A stable sort: the longest canvas of a micro-batch is its last.
        foreach (var placed in views.Where(placed => !placed.View.Questions.IsEmpty).OrderBy(placed => placed.View.Length))
        {
            var canvas = placed.View.Canvas(maskId);
            if (!canvases.ContainsKey(canvas) && canvases.Count > 0 && (canvases.Count + 1) * placed.View.Length > tokenBudget)
            {
                yield return Pack(pending, canvases, maskId);
                pending.Clear();
                canvases.Clear();
            }

            canvases.TryAdd(canvas, canvases.Count);
            pending.Add((placed, canvases[canvas]));
        }

        if (pending.Count > 0) yield return Pack(pending, canvases, maskId);
    }

    private static MicroBatch Pack(List<(PlacedView Placed, int Canvas)> views, Dictionary<int[], int> canvases, int maskId)
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
        var (rows, rowOf, tokens, positions) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        var (units, coefficients) = (new List<int>(), new List<double>());
        foreach (var ((view, firstUnit), canvas) in views)
        {
            foreach (var question in view.Questions)
            {
                rowOf.Add(RowOf(canvas, view, question.Position));
                tokens.Add(view.Trajectory.Tokens[question.Position]);
                positions.Add(question.Position);
                units.Add(firstUnit + question.Unit);
                coefficients.Add(question.Coefficient);
            }
        }

        var draws = new List<(SelectionLaw, int[], int[], int)>();
        foreach (var ((view, firstUnit), canvas) in views)
        {
            if (view.Draw is not { } draw) continue;
            draws.Add((draw.Law, [.. draw.Arranged.Select(position => RowOf(canvas, view, position))], [.. draw.Arranged.Select(position => view.Trajectory.Tokens[position])], draw.Drawn));
            positions.Add(0);
            units.Add(firstUnit + draw.Unit);
            coefficients.Add(1);
        }

        return new(length, ids, lengths, [.. rows], [.. rowOf], [.. tokens], [.. positions], [.. units], [.. coefficients], [.. draws]);

        int RowOf(int canvas, StateView view, int position)
        {
            var row = canvas * length + view.Trajectory.Prompt.Length + position;
            if (index.TryAdd(row, rows.Count)) rows.Add(row);
            return index[row];
        }
    }
}
