using Lateral.Core.Rollouts;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <param name="Unit_N">index among the units beside it</param>
/// <param name="Position_N">in the completion</param>
/// <param name="OneToOne">question i is all of unit i</param>
public sealed record DeviceQuestions(Tensor Unit_N, Tensor Coefficient_N, Tensor Position_N, bool OneToOne)
{
    /// <summary>Those of several micro-batches whose units are the whole shard's.</summary>
    public static DeviceQuestions Joined(IReadOnlyList<DeviceMicroBatch> batches)
    {
        Tensor Column(Func<DeviceQuestions, Tensor> column) => cat([.. batches.Select(batch => column(batch.Questions))], 0);
        return new(Column(one => one.Unit_N), Column(one => one.Coefficient_N), Column(one => one.Position_N), OneToOne: false);
    }
}

/// <param name="Age_U">versions between the policy that sampled it and the one that the step begins with</param>
/// <param name="Sequence_U">index of the unit's trajectory among those beside it</param>
/// <param name="Proximal_U">values under the policy that the step began with; null = that is the current one</param>
public sealed record DeviceUnits(Tensor Behaviour_U, Tensor Weight_U, Tensor Advantage_U, Tensor Age_U, Tensor Sequence_U, int Sequences, Tensor? Proximal_U = null)
{
    /// <summary>Index of the unit's group among those beside it.</summary>
    public Tensor? Group_U { get; init; }

    public int Groups { get; init; }

    /// <summary>Values under the policy that the run began with; null where nothing asks it.</summary>
    public Tensor? Reference_U { get; init; }

    public long Count => Behaviour_U.shape[0];

    /// <summary>[U] log prox, the policy that the step began with, without a gradient.</summary>
    public Tensor Proximal(Tensor logp_U) => Proximal_U ?? logp_U.detach();

    /// <summary>[U] log prox = log mu + a (log pi - log mu) with a = age / (age + 1), without a gradient: nobody has to compute it.</summary>
    public Tensor LogLinear(Tensor logp_U) => Behaviour_U.Plus(logp_U.detach().Minus(Behaviour_U).Times(Age_U.DividedBy(Age_U.Plus(1))));

    public static DeviceUnits Upload(IReadOnlyList<Unit> units, TransformerModel model)
    {
        var columns = Columns(units, out var counts);
        return Read(new PackedUpload(columns, model), counts);
    }

    /// <summary>[7][U] in the order in which <see cref="Read"/> takes them.</summary>
    internal static double[][] Columns(IReadOnlyList<Unit> units, out (int Sequences, int Groups) counts)
    {
        var (sequences, groups) = (IndexOf(units, unit => unit.Rollout), IndexOf(units, unit => unit.Group));
        counts = (sequences.Count, groups.Count);
        double[] Column(Func<Unit, double> value) => [.. units.Select(value)];
        return [Column(unit => unit.Behaviour), Column(unit => unit.Weight), Column(unit => unit.Advantage), Column(unit => unit.Age), Column(unit => sequences[unit.Rollout]), Column(unit => groups[unit.Group]), units.Any(unit => float.IsNaN(unit.Proximal)) ? [] : Column(unit => unit.Proximal)];
    }

    internal static DeviceUnits Read(PackedUpload packed, (int Sequences, int Groups) counts)
    {
        Tensor Number() => packed.Next(ScalarType.Float32);
        var (behaviour_U, weight_U, advantage_U, age_U) = (Number(), Number(), Number(), Number());
        var (sequence_U, group_U, proximal_U) = (packed.Next(ScalarType.Int64), packed.Next(ScalarType.Int64), Number());
        return new(behaviour_U, weight_U, advantage_U, age_U, sequence_U, counts.Sequences, proximal_U.numel() == behaviour_U.numel() ? proximal_U : null)
        {
            Group_U = group_U,
            Groups = counts.Groups,
        };
    }

    private static Dictionary<int, double> IndexOf(IReadOnlyList<Unit> units, Func<Unit, int> of) =>
        units.Select(of).Distinct().Index().ToDictionary(pair => pair.Item, pair => (double)pair.Index);
}

/// <param name="Rows_DC">[D * C] the candidates' scored rows, flat</param>
/// <param name="Entries_DC">[D * C] index of each candidate's token in the flattened [R * V] probabilities</param>
/// <param name="Present_DC">[D, C] bool: a candidate stands there</param>
/// <param name="Drawn_DC">[D, C] 1 where it was drawn</param>
public sealed record DeviceDraws(SelectionLaw Law, Tensor Rows_DC, Tensor Entries_DC, Tensor Present_DC, Tensor Drawn_DC)
{
    /// <summary>Added to every score of a <see cref="Bernoulli"/> draw.</summary>
    public double Offset { get; init; }
}

/// <summary>
/// A micro-batch on the device, uploaded in one transfer. B canvases, L length, R scored rows, N questions, U units; tensors
/// belong to the scope of the upload.
/// </summary>
/// <param name="Attended_BL">null where no canvas is padded</param>
/// <param name="Entries_N">index of each answer in the flattened [R * V] log-probs</param>
/// <param name="Units">those that the questions are about</param>
public sealed record DeviceMicroBatch(Tensor Ids_BL, Tensor? Attended_BL, Tensor Rows_R, Tensor Entries_N, DeviceQuestions Questions, DeviceUnits Units)
{
    /// <summary>Null where no draw is asked about.</summary>
    public DeviceDraws? Draws { get; init; }

    /// <summary>Null where every position sees every other.</summary>
    public BlockCausalLayout? Layout { get; init; }

    /// <summary>What the unmasking policy sees; null where none is asked.</summary>
    public UnmaskingState? Unmasking { get; init; }

    /// <summary>Questions of tokens and of draws.</summary>
    public long Count => Questions.Unit_N.shape[0];

    /// <summary>With its own units only, in the order of their first question.</summary>
    /// <param name="units">the shard's</param>
    public static DeviceMicroBatch Upload(MicroBatch batch, IReadOnlyList<Unit> units, TransformerModel model)
    {
        var asked = batch.Asked();
        var place = asked.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        var columns = DeviceUnits.Columns([.. asked.Select(unit => units[unit])], out var counts);
        return Upload(batch, Array.ConvertAll(batch.Units, unit => place[unit]), asked.Length, model, columns, packed => DeviceUnits.Read(packed, counts));
    }

    /// <summary>With the units of the whole shard, which are on the device already.</summary>
    public static DeviceMicroBatch Upload(MicroBatch batch, DeviceUnits units, TransformerModel model) =>
        Upload(batch, batch.Units, units.Count, model, [], _ => units);

    private static DeviceMicroBatch Upload(MicroBatch batch, int[] unitOf, long count, TransformerModel model, double[][] columns, Func<PackedUpload, DeviceUnits> units)
    {
        var entries = batch.RowOf.Zip(batch.Tokens, (row, token) => row * model.Spec.Vocabulary + token).ToArray();
        var widest = batch.Draws.Select(draw => draw.Rows.Length).DefaultIfEmpty(0).Max();
        double[] Cells(Func<(SelectionLaw Law, int[] Rows, int[] Tokens, int Drawn), int, double> cell) => [.. batch.Draws.SelectMany(draw => Enumerable.Range(0, widest).Select(c => c < draw.Rows.Length ? cell(draw, c) : 0))];
        var inBlock = new double[batch.Blocks.Length == 0 ? 0 : batch.Ids.Length];
        foreach (var (b, block) in batch.Blocks.Index()) inBlock.AsSpan(b * batch.Length + block.Start, block.Length).Fill(1);
        var packed = new PackedUpload(
            [
                batch.Ids, batch.Attended(), batch.Rows, entries, Array.ConvertAll(unitOf, unit => (double)unit), batch.Coefficients, batch.Positions,
                Cells((draw, c) => draw.Rows[c]), Cells((draw, c) => ((double)draw.Rows[c] * model.Spec.Vocabulary) + draw.Tokens[c]), Cells((_, _) => 1), Cells((draw, c) => c < draw.Drawn ? 1 : 0),
                inBlock, Array.ConvertAll(batch.Blocks, block => block.Progress), .. CausalColumns(batch), .. columns,
            ],
            model);
        var oneToOne = unitOf.Length == count && unitOf.Index().All(pair => pair.Item == pair.Index) && Array.TrueForAll(batch.Coefficients, coefficient => coefficient == 1);
        var ids_BL = packed.Next(ScalarType.Int64).view(batch.Canvases, batch.Length);
        var attended_BL = packed.Next(ScalarType.Bool);
        var (rows_R, entries_N) = (packed.Next(ScalarType.Int64), packed.Next(ScalarType.Int64));
        var questions = new DeviceQuestions(packed.Next(ScalarType.Int64), packed.Next(ScalarType.Float32), packed.Next(ScalarType.Int64), oneToOne);
        var (rows_DC, entriesOfDraws_DC, present_DC, drawn_DC) = (packed.Next(ScalarType.Int64), packed.Next(ScalarType.Int64), packed.Next(ScalarType.Bool), packed.Next(ScalarType.Float32));
        var (inBlock_BL, progress_B) = (packed.Next(ScalarType.Bool), packed.Next(ScalarType.Float32));
        var layout = LayoutOf(batch, packed);
        return new(ids_BL, batch.Padded ? attended_BL.view(batch.Canvases, batch.Length) : null, rows_R, entries_N, questions, units(packed))
        {
            Draws = widest == 0 ? null : new(batch.Draws[0].Law, rows_DC, entriesOfDraws_DC, present_DC.view(-1, widest), drawn_DC.view(-1, widest)) { Offset = batch.Offset },
            Layout = layout,
            Unmasking = batch.Blocks.Length == 0 ? null : new(model.Masked(ids_BL), inBlock_BL.view(batch.Canvases, batch.Length), progress_B),
        };
    }

    /// <summary>
    /// [4][B * L] of each token of block-causal canvases: its position; the clean block that it is, counted from 1, 0 for the prompt; the last clean block that it sees; and
    /// the block with masks that it is, 0 for none.
    /// </summary>
    private static double[][] CausalColumns(MicroBatch batch)
    {
        double[][] columns = [.. Enumerable.Range(0, 4).Select(_ => new double[batch.Causal.Length == 0 ? 0 : batch.Ids.Length])];
        // What no query reaches: padding and the copy with masks.
        columns[1].AsSpan().Fill(double.MaxValue);
        foreach (var (b, canvas) in batch.Causal.Index())
        {
            for (var i = 0; i < canvas.Prompt + canvas.Completion; i++)
            {
                var (at, block) = (b * batch.Length + i, i < canvas.Prompt ? 0 : 1 + (i - canvas.Prompt) / canvas.Block);
                (columns[0][at], columns[1][at], columns[2][at]) = (i, block, block);
                if (block == 0) continue;
                (columns[0][at + canvas.Completion], columns[2][at + canvas.Completion], columns[3][at + canvas.Completion]) = (i, block - 1, block);
            }
        }

        return columns;
    }

    private static BlockCausalLayout? LayoutOf(MicroBatch batch, PackedUpload packed)
    {
        var (position, clean, reach, masked) = (packed.Next(ScalarType.Int64), packed.Next(ScalarType.Float64), packed.Next(ScalarType.Float64), packed.Next(ScalarType.Float64));
        if (batch.Causal.Length == 0) return null;
        Tensor Key(Tensor column) => column.view(batch.Canvases, 1, batch.Length);
        Tensor Query(Tensor column) => column.view(batch.Canvases, batch.Length, 1);
        var visible_BLL = Key(clean).le(Query(reach)).logical_or(Key(masked).eq(Query(masked)).logical_and(Query(masked).Above(0)));
        return new(position.view(batch.Canvases, batch.Length), visible_BLL, batch.Causal.Max(canvas => canvas.Prompt + canvas.Completion));
    }
}

/// <summary>Columns of numbers in one transfer. float64 carries ids and row numbers without loss.</summary>
internal sealed class PackedUpload(double[][] sections, TransformerModel model)
{
    private readonly Tensor _packed = ((double[])[.. sections.SelectMany(section => section)]).ToDevice(model.Device);
    private long _at;
    private int _section;

    /// <summary>The next section, as it was given.</summary>
    public Tensor Next(ScalarType type)
    {
        var (start, length) = (_at, sections[_section++].Length);
        _at += length;
        return _packed.narrow(0, start, length).to(type);
    }
}
