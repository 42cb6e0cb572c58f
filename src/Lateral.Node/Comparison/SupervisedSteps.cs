using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Lateral.Node.Comparison;

/// <summary>The steps of a supervised run, as its process tells them: a loss stands where others have a reward, examples where they have rollouts.</summary>
/// <param name="batch">examples of a step</param>
internal sealed class SupervisedSteps(int batch)
{
    private const string File = "warmup.csv";

    private readonly List<ComparedStep> _steps = [];

    /// <summary>Of a step, its events' mean: what starting takes comes before the first.</summary>
    public double SecondsPerStep => (_steps[^1].Seconds - _steps[0].Seconds) / Math.Max(1, (_steps[^1].Rollouts - _steps[0].Rollouts) / batch);

    /// <summary>Takes a line that the process says; those that are no step pass by.</summary>
    public void Take(string line)
    {
        if (!line.StartsWith("{\"event\":\"warmup\"", StringComparison.Ordinal)) return;
        using var said = JsonDocument.Parse(line);
        var root = said.RootElement;
        var loss = root.GetProperty("loss");
        _steps.Add(new(root.GetProperty("seconds").GetDouble(), (double)root.GetProperty("step").GetInt32() * batch, loss.ValueKind == JsonValueKind.Number ? loss.GetDouble() : double.NaN));
    }

    /// <summary>Beside the run's own files, so that it need not be run again.</summary>
    public void Write(string run) => System.IO.File.WriteAllLines(Path.Combine(run, File), _steps.Select(step => string.Create(CultureInfo.InvariantCulture, $"{step.Seconds:R},{step.Rollouts:R},{step.Reward:R}")));

    public static ImmutableArray<ComparedStep> Read(string run) =>
    [
        .. System.IO.File.ReadLines(Path.Combine(run, File)).Select(line => line.Split(',')).Select(cells => new ComparedStep(Number(cells[0]), Number(cells[1]), Number(cells[2]))),
    ];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
