using System.Globalization;
using System.IO.Pipes;
using System.Text;
using System.Text.Json;
using Lateral.Rewards.Sandbox.Kernel;

namespace Lateral.Rewards.Sandbox;

/// <summary>An interpreter in its sandbox that waits for its program, and our ends of its pipes.</summary>
internal sealed class StartedProgram : IAsyncDisposable
{
    /// <summary>What the interpreter writes before it reads a program. No program can keep it from being there, so where it is missing the sandbox is to blame.</summary>
    private const byte Ready = 6;

    private readonly PipeStream _input, _output, _errors, _status;
    private readonly CancellationTokenSource _stop = new();
    private int _bubblewrap;
    private volatile int _first;

    private StartedProgram(PipeStream input, PipeStream output, PipeStream errors, PipeStream status)
    {
        (_input, _output, _errors, _status) = (input, output, errors, status);
        Status = ReadStatusAsync();
    }

    /// <summary>The status that the program ended with, as bubblewrap reports it when everything inside has ended; null where bubblewrap ends without.</summary>
    public Task<int?> Status { get; }

    /// <exception cref="SandboxFaultException">a pipe cannot be opened, or the shell fails</exception>
    public static async Task<StartedProgram> StartAsync(string folder, Launcher launcher, CancellationToken cancellation)
    {
        var (output, errors, status) = (Reader("out"), Reader("err"), Reader("status"));
        // A pipe without a writer has ended: these stay open until the shell has opened its own.
        using var _ = Native.OpenHolder(Path.Combine(folder, "out"));
        using var __ = Native.OpenHolder(Path.Combine(folder, "err"));
        using var ___ = Native.OpenHolder(Path.Combine(folder, "status"));
        var input = Native.OpenWriter(Path.Combine(folder, "in"));
        var started = new StartedProgram(input, output, errors, status);
        try
        {
            started._bubblewrap = await launcher.StartProgramAsync(cancellation);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }

        PipeStream Reader(string name) => Native.OpenReader(Path.Combine(folder, name));
    }

    /// <summary>Whether the interpreter works. A program's wall clock begins behind this, so that a slow machine's start is not held against it.</summary>
    /// <exception cref="SandboxFaultException">it neither starts nor ends</exception>
    public async Task<bool> IsReadyAsync(CancellationToken cancellation)
    {
        var sign = new byte[1];
        try
        {
            return await _output.ReadAsync(sign, cancellation).AsTask().WaitAsync(Launcher.Patience, cancellation) == 1 && sign[0] == Ready;
        }
        catch (TimeoutException hung)
        {
            throw new SandboxFaultException($"the interpreter does not start within {Launcher.Patience.TotalSeconds:0} s", hung);
        }
    }

    /// <summary>Gives the program to the interpreter and reads what it writes, until nobody holds the other ends.</summary>
    /// <param name="tooMuch">called once when a stream goes over its limit; reading goes on, into nothing, until the program is dead</param>
    public async Task<(byte[] Output, byte[] Errors)> RunAsync(SandboxJob job, int limit, Action tooMuch)
    {
        var (output, errors) = (ReadAsync(_output, limit, tooMuch), ReadAsync(_errors, limit, tooMuch));
        var writing = WriteAsync(job);
        var (written, complained) = (await output, await errors);
        // A program that is dead does not read on.
        await _stop.CancelAsync();
        await writing;
        return (written, complained);
    }

    /// <summary>What it complained about where it does not start.</summary>
    /// <exception cref="SandboxFaultException">it does not end, either</exception>
    public async Task<byte[]> ErrorsAsync(int limit, CancellationToken cancellation)
    {
        try
        {
            return await ReadAsync(_errors, limit, static () => { }).WaitAsync(Launcher.Patience, cancellation);
        }
        catch (TimeoutException hung)
        {
            throw new SandboxFaultException("the sandbox neither starts nor ends", hung);
        }
    }

    /// <summary>
    /// Ends the first process inside, and the kernel everything else with it; bubblewrap then takes note and ends as well. Ending bubblewrap itself would leave the first process to the machine's, which may be
    /// slow to take note of it, and until then it counts as one of the slot's.
    /// </summary>
    /// <returns>whether it could be found</returns>
    public bool Kill()
    {
        if (_first == 0 || Native.Parent(_first) != _bubblewrap) return false;
        Native.SendKill(_first);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var pipe in new[] { _input, _output, _errors, _status }) await pipe.DisposeAsync();
        _stop.Dispose();
    }

    private async Task WriteAsync(SandboxJob job)
    {
        var program = Encoding.UTF8.GetBytes(job.Program);
        try
        {
            await _input.WriteAsync(Encoding.ASCII.GetBytes(program.Length.ToString(CultureInfo.InvariantCulture) + "\n"), _stop.Token);
            await _input.WriteAsync(program, _stop.Token);
            await _input.WriteAsync(job.Input, _stop.Token);
        }
        catch (Exception dead) when (dead is OperationCanceledException or IOException)
        {
            // It ended before it had read everything; how it ended is told elsewhere.
        }

        await _input.DisposeAsync();
    }

    /// <summary>A JSON object a line: first the process id, in the end the status.</summary>
    private async Task<int?> ReadStatusAsync()
    {
        int? code = null;
        using var reader = new StreamReader(_status, leaveOpen: true);
        while (await reader.ReadLineAsync() is { } line)
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.TryGetProperty("child-pid", out var first)) _first = first.GetInt32();
            if (document.RootElement.TryGetProperty("exit-code", out var ended)) code = ended.GetInt32();
        }

        return code;
    }

    private static async Task<byte[]> ReadAsync(PipeStream pipe, int limit, Action tooMuch)
    {
        var (kept, buffer, over) = (new MemoryStream(), new byte[16 << 10], false);
        for (int count; (count = await pipe.ReadAsync(buffer)) > 0;)
        {
            if (!over) kept.Write(buffer, 0, count);
            if (over || kept.Length <= limit) continue;
            over = true;
            tooMuch();
        }

        return kept.ToArray();
    }
}
