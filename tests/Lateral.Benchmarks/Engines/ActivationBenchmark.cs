using System.Diagnostics;
using System.Globalization;
using Lateral.Benchmarks.Measuring;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Native;
using Lateral.Diffusion.Tensors;
using TorchSharp;

namespace Lateral.Benchmarks.Engines;

/// <summary>
/// What activation checkpointing takes and gives: forward and backward of an adapter on a frozen model, by processes of their own that say their peak and their time. A third one only loads, so that what
/// is left is activations.
/// </summary>
internal static class ActivationBenchmark
{
    public const string Child = "--activations";

    private const int Canvases = 8, Length = 512, Rows = 64;

    private static readonly TransformerSpec Spec = new(384, 24, 8, 1024, 4096, 1024, 1e-5, 10_000, 4095, null, null);

    public static async Task RunAsync(Options options, Report report)
    {
        List<string[]> rows = [["24 blocks of width 384, 4,096 tokens", "peak MiB", "of activations", "seconds"]];
        var idle = await MeasureAsync("idle");
        var kept = await MeasureAsync("kept");
        var again = await MeasureAsync("again");
        rows.Add(["kept", Mebibytes(kept.Peak), Mebibytes(kept.Peak - idle.Peak), Report.Number(kept.Seconds, "0.0")]);
        rows.Add(["computed again", Mebibytes(again.Peak), Mebibytes(again.Peak - idle.Peak), Report.Number(again.Seconds, "0.0")]);
        rows.Add(["ratio", "", Report.Number((again.Peak - idle.Peak) / (double)(kept.Peak - idle.Peak), "0.00"), Report.Number(again.Seconds / kept.Seconds, "0.00")]);
        report.Table(rows);
    }

    /// <summary>Prints the peak in bytes and the least seconds of three passes.</summary>
    public static int Run(string how)
    {
        NativeBootstrap.Load();
        TorchThreads.Use(1);
        using var scope = torch.NewDisposeScope();
        using var model = ModelStore.Fresh(Spec, 1, trainable: false);
        model.Adapter = LoraAdapter.Fresh(Spec, LoraSettings.Of(new(16, 32, false, []), Spec, null), 1);
        model.ActivationCheckpointing = how == "again";
        var best = double.PositiveInfinity;
        for (var pass = 0; pass < (how == "idle" ? 0 : 3); pass++)
        {
            using var inner = torch.NewDisposeScope();
            var start = Stopwatch.GetTimestamp();
            var ids_BL = HostTensor.Of([.. Enumerable.Range(0, Canvases * Length).Select(i => (long)(i * 31 % 4095))], Canvases, Length);
            var rows_ND = model.HiddenRows(ids_BL, HostTensor.Of([.. Enumerable.Range(0, Rows).Select(i => (long)i * (Canvases * Length / Rows))]));
            model.Backward(model.Logits(rows_ND).log_softmax(-1).mean());
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024} {best:R}"));
        return 0;
    }

    private static async Task<(long Peak, double Seconds)> MeasureAsync(string how)
    {
        var words = (await ChildProcess.OutputAsync(Child, how)).Split(' ');
        return (long.Parse(words[0], CultureInfo.InvariantCulture), double.Parse(words[1], CultureInfo.InvariantCulture));
    }

    private static string Mebibytes(long bytes) => (bytes / (1024.0 * 1024)).ToString("#,0", CultureInfo.InvariantCulture);
}
