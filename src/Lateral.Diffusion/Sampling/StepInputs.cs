using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>Shapes that never change, so that a row's result cannot depend on the other rows of its batch.</summary>
/// <param name="CanvasLength">every canvas is padded to it</param>
/// <param name="BlockLength">candidate rows scored per slot</param>
public sealed record FixedShape(int CanvasLength, int BlockLength);

/// <summary>
/// What one denoising step sends to the device: one array for one transfer. B canvases, L the longest, N scored rows.
/// Layout: <c>ids [B * L] | rows [N] | uniforms [N] | inverse temperatures [N] | greedy [N] | attended [B * L]</c>, the last
/// only where <see cref="Padded"/>. float64 holds token ids, row numbers and uniforms without loss.
/// </summary>
internal sealed class StepInputs
{
    private StepInputs(int canvases, int length, int scored, bool padded)
    {
        (Canvases, Length, Scored, Padded) = (canvases, length, scored, padded);
        Packed = new double[(padded ? 2 : 1) * canvases * length + 4 * scored];
    }

    /// <summary>B</summary>
    public int Canvases { get; }

    /// <summary>L</summary>
    public int Length { get; }

    /// <summary>N</summary>
    public int Scored { get; }

    public bool Padded { get; }

    /// <summary>Whether some row has a temperature other than 1.</summary>
    public bool Tempered { get; private set; }

    /// <summary>Whether some row takes the most probable token.</summary>
    public bool Greedy { get; private set; }

    public double[] Packed { get; }

    public int RowsAt => Canvases * Length;

    public int UniformsAt => RowsAt + Scored;

    public int InverseTemperaturesAt => RowsAt + 2 * Scored;

    public int GreedyAt => RowsAt + 3 * Scored;

    public int AttendedAt => RowsAt + 4 * Scored;

    /// <summary>The canvases of the step with their candidates: [C] generated positions, and where their rows start in N.</summary>
    public List<(Canvas Canvas, int[] Positions, int FirstRow)> Work { get; } = [];

    /// <param name="slots">[S] canvases, null where a slot is free</param>
    /// <param name="shape">null = as small as the active canvases allow</param>
    /// <param name="maskId">fills free slots and padding</param>
    public static StepInputs Build(ReadOnlySpan<Canvas?> slots, FixedShape? shape, int maskId, IUniforms uniforms)
    {
        var canvases = new List<Canvas?>();
        foreach (var canvas in slots)
        {
            if (canvas is not null || shape is not null) canvases.Add(canvas);
        }

        var candidates = canvases.ConvertAll(CandidatesOf);
        var length = shape?.CanvasLength ?? canvases.Max(canvas => canvas!.Ids.Length);
        var scored = shape is null ? candidates.Sum(positions => positions.Length) : canvases.Count * shape.BlockLength;
        // With fixed shapes attention takes the masked path always: the path itself must not depend on the other rows.
        var padded = shape is not null || canvases.Exists(canvas => canvas!.Ids.Length != length);
        var inputs = new StepInputs(canvases.Count, length, scored, padded);
        inputs.Packed.AsSpan(0, inputs.RowsAt).Fill(maskId);
        inputs.Packed.AsSpan(inputs.InverseTemperaturesAt, scored).Fill(1);
        if (padded) inputs.Packed.AsSpan(inputs.AttendedAt).Fill(1);
        var row = 0;
        for (var b = 0; b < canvases.Count; b++)
        {
            if (shape is not null) row = b * shape.BlockLength;
            if (canvases[b] is not { } canvas) continue;
            inputs.Add(b, canvas, candidates[b], row, uniforms);
            row += candidates[b].Length;
        }

        return inputs;
    }

    private static int[] CandidatesOf(Canvas? canvas)
    {
        if (canvas is null) return [];
        var positions = new int[canvas.Spec.BlockLength];
        return positions[..canvas.Candidates(positions)];
    }

    private void Add(int b, Canvas canvas, int[] positions, int firstRow, IUniforms uniforms)
    {
        var ids = Packed.AsSpan(b * Length, Length);
        for (var i = 0; i < canvas.Ids.Length; i++) ids[i] = canvas.Ids[i];
        if (Padded) Packed.AsSpan(AttendedAt + b * Length + canvas.Ids.Length, Length - canvas.Ids.Length).Clear();

        var temperature = canvas.Spec.Temperature;
        Greedy |= temperature == 0;
        Tempered |= temperature is not (0 or 1);
        for (var c = 0; c < positions.Length; c++)
        {
            var row = firstRow + c;
            Packed[RowsAt + row] = b * Length + canvas.IndexOf(positions[c]);
            Packed[UniformsAt + row] = uniforms.Token(canvas.Evaluation, canvas.Id, canvas.Step, positions[c]);
            // A greedy token's log-prob is recorded under T = 1: under its own policy it would be 0 and say nothing.
            Packed[InverseTemperaturesAt + row] = temperature == 0 ? 1 : 1 / temperature;
            Packed[GreedyAt + row] = temperature == 0 ? 1 : 0;
        }

        Work.Add((canvas, positions, firstRow));
    }
}
