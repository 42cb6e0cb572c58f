using System.Collections.Immutable;
using System.Diagnostics;

namespace Lateral.Node.Sessions;

/// <summary>One process of this program that another one keeps alive.</summary>
/// <param name="Name">before each of its lines</param>
/// <param name="First">told to stop before the others, which it still needs</param>
internal sealed record NodePart(string Name, ImmutableArray<string> Arguments, bool First = false)
{
    /// <summary>Variables that only this process has, such as the journal's password.</summary>
    public ImmutableDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;
}

/// <summary>
/// Processes of one machine: started, shown, started again with a back-off when they end otherwise than they should, and told
/// to stop by the end of their input. Every wait has its deadline; only these processes are ever killed.
/// </summary>
internal sealed class NodeProcesses(ImmutableArray<NodePart> parts, Action<string> say) : IAsyncDisposable
{
    /// <summary>A process that lives so long has started well: its next end is a new story.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500), LongestPause = TimeSpan.FromSeconds(20);

    /// <summary>Drains are over by then, and the others see the end of the run within a second.</summary>
    private static readonly TimeSpan Draining = TimeSpan.FromMinutes(3), Leaving = TimeSpan.FromSeconds(30);

    private const int MaxStarts = 6;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (Process Process, Task Ended)> _running = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopping = new();
    private volatile bool _over;

    /// <summary>
    /// Ends when every process has ended well, or the first for good otherwise. Once a coordinator has ended well the run is over: whoever was not let in any more has nothing to wait for.
    /// </summary>
    /// <returns>done; interrupted, when stopped; else what the process that cannot be kept alive ended with</returns>
    public async Task<ExitCode> RunAsync(Interruption interruption)
    {
        var kept = parts.Select(KeepAsync).ToList();
        var all = Task.WhenAll(kept);
        var (failed, over) = (FailedAsync(kept), OverAsync(kept));
        await Task.WhenAny(all, failed, over, interruption.Requested);
        if (over.IsCompleted && !interruption.Requested.IsCompleted)
        {
            await Task.WhenAny(all, Task.Delay(Leaving), interruption.Requested);
            if (!all.IsCompleted) say("the run is over: the nodes that have not left it are told to stop");
            await StopAsync(interruption.Insisted);
            await all;
            return ExitCode.Done;
        }

        if (all.IsCompleted) return all.Result.Max();
        if (interruption.Requested.IsCompleted) say("stopping: the running step is finished and saved (Ctrl-C again stops at once)");
        await StopAsync(interruption.Insisted);
        var codes = await all;
        return failed is { IsCompleted: true, Result: not ExitCode.Done } ? failed.Result : codes.Contains(ExitCode.Interrupted) ? ExitCode.Interrupted : codes.Max();
    }

    /// <summary>The process of a part, while it runs.</summary>
    public int? PidOf(string part)
    {
        lock (_gate) return _running.TryGetValue(part, out var one) ? one.Process.Id : null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(Task.CompletedTask);
        _stopping.Dispose();
    }

    /// <summary>Coordinators first: their drain needs the learner. Whoever outstays the deadline is killed; what it did is in the journal.</summary>
    private async Task StopAsync(Task insisted)
    {
        await _stopping.CancelAsync();
        foreach (var (first, deadline) in new[] { (true, Draining), (false, Leaving) })
        {
            var names = parts.Where(part => part.First == first).Select(part => part.Name).ToHashSet(StringComparer.Ordinal);
            var ended = OnRunning(names, ChildProcess.CloseInput);
            await Task.WhenAny(Task.WhenAll(ended), Task.Delay(deadline), insisted);
            await Task.WhenAll(OnRunning(names, process => process.Kill()));
        }
    }

    /// <returns>the end of each</returns>
    private List<Task> OnRunning(HashSet<string> names, Action<Process> act)
    {
        lock (_gate)
        {
            var running = _running.Where(pair => names.Contains(pair.Key)).Select(pair => pair.Value).ToList();
            foreach (var (process, _) in running) act(process);
            return [.. running.Select(one => one.Ended)];
        }
    }

    /// <summary>Ends when a part that is told to stop first has ended well by itself; never, where none does.</summary>
    private async Task OverAsync(IReadOnlyList<Task<ExitCode>> kept)
    {
        var firsts = kept.Where((_, i) => parts[i].First).ToList();
        while (firsts.Count > 0)
        {
            var ended = await Task.WhenAny(firsts);
            _over = await ended is ExitCode.Done;
            if (_over) return;
            firsts.Remove(ended);
        }

        await Task.Delay(Timeout.Infinite, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task<ExitCode> FailedAsync(IEnumerable<Task<ExitCode>> kept)
    {
        var open = kept.ToList();
        while (open.Count > 0)
        {
            var ended = await Task.WhenAny(open);
            if (await ended is not (ExitCode.Done or ExitCode.Interrupted) and var code) return code;
            open.Remove(ended);
        }

        return ExitCode.Done;
    }

    private async Task<ExitCode> KeepAsync(NodePart part)
    {
        var (pause, starts) = (FirstPause, 0);
        while (true)
        {
            var since = Stopwatch.GetTimestamp();
            var code = await RunOnceAsync(part);
            if (_over) return ExitCode.Done;
            if (_stopping.IsCancellationRequested) return code is (int)ExitCode.Done ? ExitCode.Done : ExitCode.Interrupted;
            // A wrong configuration stays wrong; any other end may be over by the next start.
            if ((ExitCode)code is ExitCode.Done or ExitCode.Interrupted or ExitCode.Usage) return (ExitCode)code;
            if (Stopwatch.GetElapsedTime(since) > Settled) (pause, starts) = (FirstPause, 0);
            if (++starts >= MaxStarts)
            {
                say($"{part.Name} ended {starts} times soon after its start, at last with {Describe(code)}: it is not started again");
                return Enum.IsDefined((ExitCode)code) ? (ExitCode)code : ExitCode.Resumable;
            }

            say($"{part.Name} ended with {Describe(code)}; started again in {pause.TotalSeconds:0.#} s");
            await Task.Delay(pause, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (pause < LongestPause) pause *= 2;
        }
    }

    private async Task<int> RunOnceAsync(NodePart part)
    {
        using var process = new Process { StartInfo = ChildProcess.Start(part.Arguments) };
        foreach (var (name, value) in part.Environment) process.StartInfo.Environment[name] = value;
        process.OutputDataReceived += (_, line) => Show(part, line.Data);
        process.ErrorDataReceived += (_, line) => Show(part, line.Data);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested) return (int)ExitCode.Interrupted;
            process.Start();
            _running[part.Name] = (process, ended.Task);
        }

        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.WaitForExitAsync();
        lock (_gate) _running.Remove(part.Name);
        ended.SetResult();
        return process.ExitCode;
    }

    private void Show(NodePart part, string? line)
    {
        if (line is not null) say($"{part.Name} | {line}");
    }

    private static string Describe(int code) => code > 128 ? $"signal {code - 128}" : $"exit code {code}";
}
