using Lateral.Diffusion.Likelihoods;

namespace Lateral.Diffusion.Sampling;

/// <summary>Shapes that never change, so that a row's result cannot depend on the other rows of its batch.</summary>
/// <param name="CanvasLength">every canvas is padded to it</param>
/// <param name="BlockLength">candidate rows scored per slot</param>
public sealed record FixedShape(int CanvasLength, int BlockLength);

/// <param name="Positions">[C] generated positions of the canvas's candidates</param>
/// <param name="FirstDraw">where its candidates start among the N draws</param>
internal readonly record struct StepWork(Canvas Canvas, int[] Positions, int FirstDraw);

/// <summary>
/// What one denoising step sends to the device, in one array for one transfer. B canvases, L the longest, U rows of hidden
/// states, N draws. Equal canvases share their rows, each candidate of each rollout is a draw of its own.
/// Layout: <c>ids [B * L] | rows [U] | row of draw [N] | uniforms [N] | inverse temperatures [N] | greedy [N] | certainty [N] |
/// attended [B * L] | in block [B * L] | progress [B]</c>, attended only where <see cref="Padded"/>, the last two only where <see cref="Unmasking"/>. float64 holds token ids, row numbers and uniforms without loss.
/// </summary>
internal sealed class StepInputs
{
    private StepInputs(int canvases, int length, int rows, int draws, bool padded, bool unmasking)
    {
        (Canvases, Length, Rows, Draws, Padded, Unmasking) = (canvases, length, rows, draws, padded, unmasking);
        Packed = new double[unmasking ? ProgressAt + canvases : InBlockAt];
    }

    /// <summary>B</summary>
    public int Canvases { get; }

    /// <summary>L</summary>
    public int Length { get; }

    /// <summary>U</summary>
    public int Rows { get; }

    /// <summary>N</summary>
    public int Draws { get; }

    public bool Padded { get; }

    /// <summary>Whether some canvas is revealed by the model's unmasking policy.</summary>
    public bool Unmasking { get; }

    /// <summary>Whether some draw has a temperature other than 1.</summary>
    public bool Tempered { get; private set; }

    /// <summary>Whether some draw takes the most probable token.</summary>
    public bool Greedy { get; private set; }

    /// <summary>Statistics that some draw's reveal rule asks for.</summary>
    public SortedSet<Certainty> Asked { get; } = [];

    public double[] Packed { get; }

    public List<StepWork> Work { get; } = [];

    public int RowsAt => Canvases * Length;

    public int RowOfDrawAt => RowsAt + Rows;

    public int UniformsAt => RowOfDrawAt + Draws;

    public int InverseTemperaturesAt => UniformsAt + Draws;

    public int GreedyAt => InverseTemperaturesAt + Draws;

    public int CertaintyAt => GreedyAt + Draws;

    public int AttendedAt => CertaintyAt + Draws;

    public int InBlockAt => AttendedAt + (Padded ? RowsAt : 0);

    public int ProgressAt => InBlockAt + RowsAt;

    /// <summary>As small as the active canvases allow; equal ones are computed once.</summary>
    public static StepInputs Compact(ReadOnlySpan<Canvas?> slots, int maskId, IUniforms uniforms)
    {
        var (work, canvases, placeOf) = (new List<StepWork>(), new List<Canvas>(), new List<int>());
        var index = new Dictionary<int[], int>(CanvasComparer.Instance);
        var draws = 0;
        foreach (var canvas in slots)
        {
            if (canvas is null) continue;
            var key = canvas.Key();
            if (index.TryAdd(key, index.Count)) canvases.Add(canvas);
            placeOf.Add(index[key]);
            work.Add(new(canvas, CandidatesOf(canvas), draws));
            draws += work[^1].Positions.Length;
        }

        var length = canvases.Max(canvas => canvas.Ids.Length);
        var rowIndex = new Dictionary<int, int>();
        foreach (var (i, item) in work.Index())
        {
            foreach (var position in item.Positions) rowIndex.TryAdd(placeOf[i] * length + item.Canvas.IndexOf(position), rowIndex.Count);
        }

        var inputs = new StepInputs(canvases.Count, length, rowIndex.Count, draws, canvases.Exists(canvas => canvas.Ids.Length != length), canvases.Exists(canvas => canvas.Unmasking));
        inputs.Clear(maskId);
        foreach (var (b, canvas) in canvases.Index()) inputs.WriteCanvas(b, canvas);
        foreach (var (row, u) in rowIndex) inputs.Packed[inputs.RowsAt + u] = row;
        foreach (var (i, item) in work.Index()) inputs.WriteDraws(item, position => rowIndex[placeOf[i] * length + item.Canvas.IndexOf(position)], uniforms);
        return inputs;
    }

    /// <summary>Always S canvases of one length and S * block rows; a free slot holds MASK. Attention always takes the masked path.</summary>
    public static StepInputs Fixed(ReadOnlySpan<Canvas?> slots, FixedShape shape, int maskId, IUniforms uniforms)
    {
        var rows = slots.Length * shape.BlockLength;
        var inputs = new StepInputs(slots.Length, shape.CanvasLength, rows, rows, padded: true, Array.Exists(slots.ToArray(), canvas => canvas is { Unmasking: true }));
        inputs.Clear(maskId);
        for (var n = 0; n < rows; n++) inputs.Packed[inputs.RowOfDrawAt + n] = n;
        for (var b = 0; b < slots.Length; b++)
        {
            if (slots[b] is not { } canvas) continue;
            var first = b * shape.BlockLength;
            inputs.WriteCanvas(b, canvas);
            var item = new StepWork(canvas, CandidatesOf(canvas), first);
            for (var c = 0; c < item.Positions.Length; c++) inputs.Packed[inputs.RowsAt + first + c] = b * shape.CanvasLength + canvas.IndexOf(item.Positions[c]);
            var draw = first;
            inputs.WriteDraws(item, _ => draw++, uniforms);
        }

        return inputs;
    }

    private static int[] CandidatesOf(Canvas canvas)
    {
        var positions = new int[canvas.Spec.BlockLength];
        return positions[..canvas.Candidates(positions)];
    }

    private void Clear(int maskId)
    {
        Packed.AsSpan(0, RowsAt).Fill(maskId);
        Packed.AsSpan(InverseTemperaturesAt, Draws).Fill(1);
        if (Padded) Packed.AsSpan(AttendedAt, RowsAt).Fill(1);
    }

    private void WriteCanvas(int b, Canvas canvas)
    {
        var ids = canvas.Ids;
        for (var i = 0; i < ids.Length; i++) Packed[b * Length + i] = ids[i];
        if (Padded) Packed.AsSpan(AttendedAt + b * Length + ids.Length, Length - ids.Length).Clear();
        if (!Unmasking) return;
        Packed.AsSpan(InBlockAt + b * Length + canvas.IndexOf(canvas.BlockStart), canvas.Spec.BlockLength).Fill(1);
        Packed[ProgressAt + b] = canvas.Progress;
    }

    private void WriteDraws(StepWork item, Func<int, int> rowOf, IUniforms uniforms)
    {
        Work.Add(item);
        var canvas = item.Canvas;
        var temperature = canvas.Spec.Temperature;
        Greedy |= temperature == 0;
        Tempered |= temperature is not (0 or 1);
        Asked.Add(canvas.Selection.Asks);
        for (var c = 0; c < item.Positions.Length; c++)
        {
            var draw = item.FirstDraw + c;
            Packed[RowOfDrawAt + draw] = rowOf(item.Positions[c]);
            Packed[UniformsAt + draw] = uniforms.Token(canvas.Evaluation, canvas.Id, canvas.Step, item.Positions[c]);
            // A greedy token's log-prob is recorded under T = 1: under its own policy it would be 0 and say nothing.
            Packed[InverseTemperaturesAt + draw] = temperature == 0 ? 1 : 1 / temperature;
            Packed[GreedyAt + draw] = temperature == 0 ? 1 : 0;
            Packed[CertaintyAt + draw] = (double)canvas.Selection.Asks;
        }
    }
}
