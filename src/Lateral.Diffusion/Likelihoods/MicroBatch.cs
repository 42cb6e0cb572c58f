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
    /// <summary>
    /// [B] the block that each canvas's step denoises, its start counted from the canvas's; empty where no unmasking policy is asked. Equal canvases have equal blocks,
    /// because every step reveals something, and equal progress: where the step does not follow from the canvas, progress counts positions.
    /// </summary>
    public ActiveBlock[] Blocks { get; init; } = [];

    /// <summary>Added to every score of a <see cref="Bernoulli"/> draw.</summary>
    public double Offset { get; init; }

    /// <summary>[B] what each canvas is made of where attention is block-causal; empty elsewhere.</summary>
    public CausalCanvas[] Causal { get; init; } = [];

    /// <summary>B</summary>
    public int Canvases => Lengths.Length;

    /// <summary>Whether some canvas is shorter than L.</summary>
    public bool Padded => Array.Exists(Lengths, length => length != Length);

    /// <summary>[B * L] 1 where a canvas has a token; empty where nothing is padded.</summary>
    public double[] Attended()
    {
        if (!Padded) return [];
        var attended = new double[Ids.Length];
        for (var b = 0; b < Canvases; b++) attended.AsSpan(b * Length, Lengths[b]).Fill(1);
        return attended;
    }

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
        var (blocks, offset) = (new ActiveBlock[canvases.Count], 0.0);
        var causal = new CausalCanvas[canvases.Count];
        foreach (var ((view, _), canvas) in views) causal[canvas] = new(view.Trajectory.Prompt.Length, view.Trajectory.Tokens.Length, view.CausalBlock);
        foreach (var ((view, firstUnit), canvas) in views)
        {
            if (view.Draw is not { } draw) continue;
            draws.Add((draw.Law, [.. draw.Arranged.Select(position => RowOf(canvas, view, position))], [.. draw.Tokens], draw.Drawn));
            blocks[canvas] = draw.Block with { Start = view.Trajectory.Prompt.Length + draw.Block.Start };
            offset = draw.Offset;
            positions.Add(0);
            units.Add(firstUnit + draw.Unit);
            coefficients.Add(1);
        }

        return new(length, ids, lengths, [.. rows], [.. rowOf], [.. tokens], [.. positions], [.. units], [.. coefficients], [.. draws])
        {
            Blocks = draws.Exists(draw => draw.Item1.AsksUnmaskingPolicy()) ? blocks : [],
            Offset = offset,
            // All views of a likelihood are of one kind.
            Causal = views[0].Placed.View.CausalBlock > 0 ? causal : [],
        };

        int RowOf(int canvas, StateView view, int position)
        {
            var row = canvas * length + view.IndexOf(position);
            if (index.TryAdd(row, rows.Count)) rows.Add(row);
            return index[row];
        }
    }
}

/// <summary>A canvas of prompt, completion and the completion with masks.</summary>
/// <param name="Block">tokens of a block</param>
public readonly record struct CausalCanvas(int Prompt, int Completion, int Block);
