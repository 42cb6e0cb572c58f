using System.Collections.Concurrent;
using System.Diagnostics;

namespace Lateral.Node.Tests.Processes;

/// <summary>A real <c>lateral</c> process, its output and its end. Only this process is ever killed.</summary>
internal sealed class LateralProcess : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TaskCompletionSource _outputEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _disposed;

    private LateralProcess((string Name, string Value)[] environment, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "lateral.dll"), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        _process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start");
        _process.StandardInput.Close();
        _process.OutputDataReceived += (_, e) => Note(e.Data);
        _process.ErrorDataReceived += (_, e) =>
        {
            if (e.Data is not null) _lines.Enqueue(e.Data);
        };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => string.Join('\n', _lines);

    public static LateralProcess Start(params string[] arguments) => new([], arguments);

    public static LateralProcess Start((string Name, string Value)[] environment, params string[] arguments) => new(environment, arguments);

    /// <summary>Runs to its end.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) => RunAsync([], arguments);

    public static async Task<(int ExitCode, string Output)> RunAsync((string Name, string Value)[] environment, params string[] arguments)
    {
        using var process = Start(environment, arguments);
        return (await process.ExitAsync(), process.Output);
    }

    public async Task<int> ExitAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException cancelled)
        {
            throw new TimeoutException($"the process did not end within {Deadline}; it said:\n{Output}", cancelled);
        }

        await _outputEnded.Task.WaitAsync(Deadline);
        return _process.ExitCode;
    }

    /// <summary>Waits until the condition holds; fails when the process ends first.</summary>
    public async Task UntilAsync(Func<LateralProcess, bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition(this))
        {
            if (HasExited || clock.Elapsed > Deadline) throw new InvalidOperationException($"{(HasExited ? $"ended with {_process.ExitCode}" : "timed out")}; it said:\n{Output}");
            await Task.Delay(1);
        }
    }

    /// <summary>SIGKILL, as the kernel's out-of-memory killer or a power cut of the process would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await ExitAsync();
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private void Note(string? line)
    {
        if (line is null) _outputEnded.TrySetResult();
        else _lines.Enqueue(line);
    }
}
