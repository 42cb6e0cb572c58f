using System.Diagnostics;
using Lateral.Node;
using Lateral.Node.Sessions;

namespace Lateral.Chaos.Deployment;

/// <summary>One life of a process.</summary>
/// <param name="Code">what it ended with; 137 = SIGKILL</param>
internal sealed record Life(int Pid, TimeSpan Began, TimeSpan Ended, int Code);

/// <summary>A node as a service manager would keep it: started again at once however it ends, until it is told to stop.</summary>
internal sealed class KeptProcess(string name, Func<ProcessStartInfo> start, string log, Func<TimeSpan> clock)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200), Draining = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly List<Life> _lives = [];
    private Process? _process;
    private Task _kept = Task.CompletedTask;
    private volatile bool _stopping;

    public string Name => name;

    /// <summary>Null while it is between two lives.</summary>
    public int? Pid
    {
        get
        {
            lock (_gate) return _process?.Id;
        }
    }

    /// <summary>Those that are over, oldest first.</summary>
    public IReadOnlyList<Life> Lives
    {
        get
        {
            lock (_gate) return [.. _lives];
        }
    }

    /// <summary>Ends only when it was told to stop, or cannot be started in a way that works.</summary>
    public Task Kept => _kept;

    public void Start() => _kept = KeepAsync();

    /// <returns>the process it was sent to; null = none runs</returns>
    public int? Signal(int signal)
    {
        lock (_gate)
        {
            if (_process is null) return null;
            _ = Native.Kill(_process.Id, signal);
            return _process.Id;
        }
    }

    /// <summary>The end of its input asks it to stop; whoever outstays the deadline is killed, and that is told.</summary>
    /// <returns>whether it stopped by itself</returns>
    public async Task<bool> StopAsync()
    {
        lock (_gate)
        {
            _stopping = true;
            _process?.StandardInput.Close();
        }

        if (await Task.WhenAny(_kept, Task.Delay(Draining)) == _kept) return true;
        Signal(Native.SigKill);
        await _kept;
        return false;
    }

    private async Task KeepAsync()
    {
        while (!_stopping)
        {
            await LiveAsync();
            if (!_stopping) await Task.Delay(Pause);
        }
    }

    private async Task LiveAsync()
    {
        using var output = new StreamWriter(log, append: true) { AutoFlush = true };
        using var process = new Process { StartInfo = start() };
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        var began = clock();
        lock (_gate)
        {
            process.Start();
            _process = process;
        }

        Note($"--- {name} is process {process.Id}");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.WaitForExitAsync();
        lock (_gate)
        {
            _process = null;
            _lives.Add(new Life(process.Id, began, clock(), process.ExitCode));
        }

        Note($"--- ended with {process.ExitCode}");
        if ((ExitCode)process.ExitCode == ExitCode.Usage) throw new InvalidOperationException($"{name} cannot be configured so; see {log}");

        void Note(string? line)
        {
            if (line is null) return;
            lock (output) output.WriteLine($"{clock():mm\\:ss\\.f} {line}");
        }
    }
}
