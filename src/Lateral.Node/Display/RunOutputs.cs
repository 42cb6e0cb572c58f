using System.Text.Json;
using Lateral.Core.Runs;
using Lateral.Node.Runs;
using Spectre.Console;

namespace Lateral.Node.Display;

/// <summary>Where a run's progress goes. Calls come one at a time, in order.</summary>
public interface IRunOutput : IAsyncDisposable
{
    void Started(RunProgress progress);

    void WarmedUp(RunProgress progress);

    void Evaluated(RunProgress progress, EvaluationPoint point);

    void Stepped(RunProgress progress);

    /// <summary>The run's own status changed; comes a few times a second.</summary>
    void Polled(RunProgress progress);

    /// <summary>Something the user has to know beside the run's progress.</summary>
    void Note(string text);

    void Finished(RunProgress progress);
}

/// <summary>One line a step, for redirected output.</summary>
internal sealed class LineOutput(TextWriter writer) : IRunOutput
{
    private int _warmupTenth = -1;
    private (string Part, int Version)? _blamed;

    public void Started(RunProgress progress) => writer.WriteLine(RunLines.Header(progress.Settings));

    public void WarmedUp(RunProgress progress)
    {
        var warmup = progress.Warmup!;
        var tenth = warmup.Steps == 0 ? 10 : warmup.Step * 10 / warmup.Steps;
        if (tenth == _warmupTenth) return;
        _warmupTenth = tenth;
        writer.WriteLine(RunLines.Warmup(warmup, progress.Remaining));
    }

    /// <summary>During training the step's own line has the figure; before and after there is more to say.</summary>
    public void Evaluated(RunProgress progress, EvaluationPoint point)
    {
        if (point.Metrics.ContainsKey("eval/greedy")) writer.WriteLine(RunLines.Evaluation(point, progress.Settings.Evaluation.Samples));
    }

    public void Stepped(RunProgress progress) => writer.WriteLine(RunLines.Step(progress.Last!, progress.Settings.Steps, progress.Remaining));

    public void Polled(RunProgress progress)
    {
        if (progress.Diagnosis is not { Verdict: Verdict.Stuck } diagnosis) return;
        // Once a culprit and step: a log is not a display.
        var blamed = (diagnosis.Culprit.Part, progress.Status!.Ledger.Version);
        if (blamed == _blamed) return;
        _blamed = blamed;
        writer.WriteLine(RunLines.Why(diagnosis));
    }

    public void Note(string text) => writer.WriteLine(text);

    public void Finished(RunProgress progress)
    {
        foreach (var line in RunSummary.Finished(progress)) writer.WriteLine(line);
    }

    public ValueTask DisposeAsync() => new(writer.FlushAsync());
}

/// <summary>One JSON object a line, for programs: <c>{"event":"step","step":12,"reward/mean":0.41,...}</c>.</summary>
internal sealed class JsonOutput(TextWriter writer) : IRunOutput
{
    public void Started(RunProgress progress) => Write("started", json =>
    {
        json.WriteString("run", progress.Settings.Name);
        json.WriteString("directory", Path.GetFullPath(progress.Settings.Directory));
        json.WriteNumber("steps", progress.Settings.Steps);
    });

    public void WarmedUp(RunProgress progress) => Write("warmup", json =>
    {
        json.WriteNumber("step", progress.Warmup!.Step);
        json.WriteNumber("steps", progress.Warmup.Steps);
        JsonLinesFile.WriteNumber(json, "loss", progress.Warmup.Loss);
        JsonLinesFile.WriteNumber(json, "seconds", progress.Warmup.Seconds);
    });

    public void Evaluated(RunProgress progress, EvaluationPoint point) => Write("evaluation", json => Metrics(json, point.Step, point.Metrics));

    public void Stepped(RunProgress progress) => Write("step", json => Metrics(json, progress.Last!.Step, progress.Last.Metrics));

    public void Polled(RunProgress progress)
    {
    }

    public void Note(string text) => Write("note", json => json.WriteString("text", text));

    public void Finished(RunProgress progress) => Write("finished", json =>
    {
        json.WriteString("run", progress.Settings.Name);
        if (progress.Evaluations.LastOrDefault() is { } last) Metrics(json, last.Step, last.Metrics);
    });

    public ValueTask DisposeAsync() => new(writer.FlushAsync());

    private static void Metrics(Utf8JsonWriter json, int step, IEnumerable<KeyValuePair<string, double>> metrics)
    {
        json.WriteNumber("step", step);
        foreach (var (key, value) in metrics) JsonLinesFile.WriteNumber(json, key, value);
    }

    private void Write(string kind, Action<Utf8JsonWriter> content)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("event", kind);
            content(json);
            json.WriteEndObject();
        }

        writer.WriteLine(System.Text.Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length));
    }
}

/// <summary>A live panel on a terminal; the last state stays on the screen.</summary>
internal sealed class PanelOutput : IRunOutput
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(200);

    private readonly IAnsiConsole _console;
    private readonly CancellationTokenSource _done = new();
    private readonly Task _loop;
    private volatile RunProgress? _progress;

    public PanelOutput(IAnsiConsole console)
    {
        _console = console;
        _loop = console.Live(new Text("starting")).Overflow(VerticalOverflow.Crop).StartAsync(LoopAsync);
    }

    public void Started(RunProgress progress) => _progress = progress;

    public void WarmedUp(RunProgress progress) => _progress = progress;

    public void Evaluated(RunProgress progress, EvaluationPoint point) => _progress = progress;

    public void Stepped(RunProgress progress) => _progress = progress;

    public void Polled(RunProgress progress) => _progress = progress;

    /// <summary>Appears above the panel.</summary>
    public void Note(string text) => _console.WriteLine(text);

    public void Finished(RunProgress progress)
    {
        _progress = progress;
        Stop();
        // Past the console's own layout, which would break long commands into lines that cannot be copied.
        foreach (var line in RunSummary.Finished(progress)) _console.Profile.Out.Writer.WriteLine(line);
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        await _loop;
        _done.Dispose();
    }

    private void Stop()
    {
        _done.Cancel();
        _loop.Wait();
    }

    private async Task LoopAsync(LiveDisplayContext context)
    {
        using var timer = new PeriodicTimer(Refresh);
        try
        {
            do
            {
                Draw(context);
            }
            while (await timer.WaitForNextTickAsync(_done.Token));
        }
        catch (OperationCanceledException)
        {
            Draw(context);
        }
    }

    private void Draw(LiveDisplayContext context)
    {
        if (_progress is { } progress) context.UpdateTarget(RunPanel.Render(progress));
        context.Refresh();
    }
}
