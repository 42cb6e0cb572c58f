using System.Collections.Immutable;
using System.Diagnostics;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Diffusion;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Benchmarks;

/// <summary>Shape of an engine measurement: <paramref name="Steps"/> denoising steps for one block of <paramref name="GenLength"/> tokens.</summary>
public sealed record EngineCase(string Name, ModelSize Size, int PromptLength, int GenLength, int Steps)
{
    public static EngineCase Quickstart { get; } = new("quickstart, 10 tokens", new(64, 3, 4, 128), 5, 5, 3);

    public static EngineCase ThreeMillion { get; } = new("3 M parameters, 64 tokens", new(256, 5, 8, 512), 32, 32, 8);

    public int Length => PromptLength + GenLength;
}

/// <param name="Engine">best of the repetitions, seconds</param>
/// <param name="Bare">the model calls the engine needs, alone, seconds</param>
public readonly record struct EngineFigure(string Name, double Engine, double Bare)
{
    public double Ratio => Engine / Bare;

    public override string ToString() => $"{Name}: {Engine * 1e3:0.0} ms, bare model calls {Bare * 1e3:0.0} ms, ratio {Ratio:0.000}";
}

/// <summary>
/// Engine time over the time of the bare model calls it needs. Every rollout has a prompt of its own, so that engines
/// cannot gain by computing equal canvases once. Repetitions alternate and the best of each counts: other load on the
/// machine only ever adds time.
/// </summary>
public static class EngineBenchmarks
{
    private const int Slots = 64, MicroBatchTokens = 4096;

    private static readonly DigitsAndMask Tokenizer = new();

    /// <summary>One wave of 64 rollouts against forward and head of the same canvases and rows, step by step.</summary>
    public static async Task<EngineFigure> SamplerAsync(EngineCase shape, string reveal, int repetitions)
    {
        var folder = Directory.CreateTempSubdirectory("lateral-bench-").FullName;
        using var model = Model(shape);
        var hash = LladaStore.Save(model, folder);
        using var bareThread = new DeviceThread("bare model calls");
        await using var sampler = new DiffusionSampler(new("cpu", Slots, null, 1), Tokenizer, Network(shape));
        await sampler.SwapAsync(new(1, 0, hash, "", PayloadKind.Full, 0, ""), Path.Combine(folder, LladaStore.WeightsFile));
        var spec = new RolloutSpec(shape.GenLength, shape.GenLength, shape.Steps, 1, reveal, false);
        var (random, engine, bare) = (new Random(1), double.MaxValue, double.MaxValue);
        for (var repetition = 0; repetition <= repetitions; repetition++)
        {
            var before = sampler.Statistics;
            for (var slot = 0; slot < Slots; slot++)
                sampler.Submit(new(repetition * Slots + slot, [0], new(slot, [.. Digits(random, shape.PromptLength)], "", ""), spec, false));
            for (var finished = 0; finished < Slots;) finished += (await sampler.NextFinishedAsync(default)).Count;
            var busy = (sampler.Statistics - before).BusySeconds;

            var alone = 0.0;
            for (var (step, masked) = (0, shape.GenLength); step < shape.Steps; masked -= DenoisingPlan.QuotaOf(spec, step++))
                alone += await TimeAsync(bareThread, Autograd.Off, Calls(shape, random, Slots, masked), (ids, rows) => model.Logits(model.HiddenRows(ids, rows)));
            // The first repetition pays for compilation and first allocations.
            if (repetition > 0) (engine, bare) = (Math.Min(engine, busy), Math.Min(bare, alone));
        }

        Directory.Delete(folder, recursive: true);
        return new($"sampler, {shape.Name}, {reveal}", engine, bare);
    }

    /// <summary>One learner step against forward and backward of as many canvases and rows in the same micro-batches.</summary>
    public static async Task<EngineFigure> LearnerAsync(EngineCase shape, int groups, int siblings, int repetitions)
    {
        var folder = Directory.CreateTempSubdirectory("lateral-bench-").FullName;
        using var model = Model(shape);
        using var bareThread = new DeviceThread("bare model calls");
        var algorithm = new LearnerSettings("behaviour-clip", .2, 3, "group-mean", 1e-5, 10, "linear", .1, .9, .999, 1e-8, 0, 1, 1, 8, MicroBatchTokens, 0);
        var (random, engine, bare) = (new Random(1), double.MaxValue, double.MaxValue);
        await using (var learner = new GrpoLearner(
            new(folder, "cpu", 1, repetitions + 1, 1, 2, algorithm, new(0, 0, 0, 0)), Network(shape), _ => throw new InvalidOperationException("no warm-up"), new SingleRankExchange()))
        {
            await learner.PrepareBaseAsync(new Progress<WarmupProgress>(), default);
            for (var step = 1; step <= repetitions + 1; step++)
            {
                var report = await learner.TrainAsync(new(1, step, groups, [.. Enumerable.Range(0, groups).Select(group => Group(shape, random, group, siblings))]), default);
                var alone = 0.0;
                for (var left = groups * siblings * shape.Steps; left > 0; left -= MicroBatchTokens / shape.Length)
                {
                    var calls = Calls(shape, random, Math.Min(left, MicroBatchTokens / shape.Length), shape.GenLength / shape.Steps);
                    alone += await TimeAsync(bareThread, Autograd.On, calls, (ids, rows) => model.Logits(model.HiddenRows(ids, rows)).sum().backward());
                }

                if (step > 1) (engine, bare) = (Math.Min(engine, report.Metrics["time/train"]), Math.Min(bare, alone));
            }
        }

        Directory.Delete(folder, recursive: true);
        return new($"learner, {shape.Name}", engine, bare);
    }

    private static LladaModel Model(EngineCase shape) => LladaStore.Fresh(new TransformerSpec(
        shape.Size.Width, shape.Size.Layers, shape.Size.Heads, shape.Size.MlpWidth, Tokenizer.VocabularySize, 1024, 1e-5, 10_000, Tokenizer.MaskId, null, null), 1);

    private static PolicyNetwork Network(EngineCase shape) => new(new ModelSettings(null, shape.Size), Tokenizer, 1);

    private static IEnumerable<int> Digits(Random random, int count) => Enumerable.Range(0, count).Select(_ => random.Next(10)).ToArray();

    private static (long[] Ids, long[] Rows, int Canvases) Calls(EngineCase shape, Random random, int canvases, int rowsEach) => (
        [.. Digits(random, canvases * shape.Length).Select(digit => (long)digit)],
        [.. Enumerable.Range(0, canvases).SelectMany(b => Enumerable.Range(0, rowsEach).Select(i => (long)b * shape.Length + shape.PromptLength + i))], canvases);

    private static Task<double> TimeAsync(DeviceThread thread, Autograd autograd, (long[] Ids, long[] Rows, int Canvases) calls, Action<Tensor, Tensor> run) => thread.Run(() =>
    {
        var (ids, rows) = (tensor(calls.Ids, calls.Canvases, calls.Ids.Length / calls.Canvases), tensor(calls.Rows));
        var start = Stopwatch.GetTimestamp();
        run(ids, rows);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }, autograd);

    private static ScoredGroup Group(EngineCase shape, Random random, int group, int siblings) => new(group, [.. Enumerable.Range(0, siblings).Select(sibling =>
    {
        var order = Enumerable.Range(0, shape.GenLength).Select(position => position * shape.Steps / shape.GenLength).ToArray();
        random.Shuffle(order);
        var trajectory = new Trajectory(
            new(group, sibling), [.. Digits(random, shape.PromptLength)], [.. Digits(random, shape.GenLength)], [.. order],
            [.. Enumerable.Repeat(-2.3f, shape.GenLength)], [.. new float[shape.Steps]], 1, [new(0, 0, "")], "");
        return new ScoredTrajectory(trajectory, sibling % 2, ImmutableSortedDictionary<string, double>.Empty);
    })]);

    private sealed class DigitsAndMask : ITokenizer
    {
        public int VocabularySize => 11;

        public int MaskId => 10;

        public int? EndId => null;

        public ImmutableArray<int> Encode(string text) => [.. text.Select(digit => digit - '0')];

        public string Decode(ReadOnlySpan<int> ids) => string.Concat(ids.ToArray());
    }
}
