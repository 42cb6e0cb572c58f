using Lateral.Rewards.Sandbox.Groups;
using Lateral.Rewards.Sandbox.Kernel;

namespace Lateral.Rewards.Sandbox;

/// <summary>
/// Runs one program at a time. The next interpreter is started when a program has ended and waits in its sandbox, a fresh one for every program, so that a program's wall clock begins with the program.
/// </summary>
/// <param name="folder">this slot's own: pipes and the filter</param>
/// <param name="user">what programs run as; null = this process' user</param>
/// <param name="group">null = there are none on this machine</param>
internal sealed class Slot(string folder, int? user, IControlGroup? group, SandboxSettings settings, SandboxCommand command) : IAsyncDisposable
{
    // What boot.py leaves with where Python itself has no memory, and where the program was ended by SIGKILL.
    private const int NoMemory = 77, ProgramKilled = 78;

    /// <summary>The first process, or bubblewrap, was ended by SIGKILL.</summary>
    private const int AllKilled = 137;

    private Launcher? _launcher;
    private Task<StartedProgram>? _next;

    /// <summary>Why a program was ended from here.</summary>
    private enum Ending
    {
        Own,
        Time,
        Output,
        Caller,
    }

    /// <exception cref="OperationCanceledException">the caller gave up; the program is dead</exception>
    public async Task<SandboxResult> RunAsync(SandboxJob job, TimeSpan limit, CancellationToken cancellation)
    {
        try
        {
            var program = await TakeAsync(cancellation);
            try
            {
                var result = await RunAsync(program, job, limit, cancellation);
                await program.DisposeAsync();
                _next = StartAsync(CancellationToken.None);
                return result;
            }
            catch
            {
                await program.DisposeAsync();
                throw;
            }
        }
        catch (SandboxFaultException fault)
        {
            await DropAsync();
            return new SandboxResult.Fault(fault.Message);
        }
        catch
        {
            // Cancelled, or worse: the next program gets a new shell.
            await DropAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await DropAsync();

    private async Task<SandboxResult> RunAsync(StartedProgram program, SandboxJob job, TimeSpan limit, CancellationToken cancellation)
    {
        var mark = group?.Mark() ?? default;
        if (!await program.IsReadyAsync(cancellation))
        {
            var complaint = await program.ErrorsAsync(settings.OutputLimit, cancellation);
            throw new SandboxFaultException($"the sandbox did not start, bubblewrap ended with {await _launcher!.WaitProgramAsync(cancellation)}: {Tail(complaint)}");
        }

        var ending = (int)Ending.Own;
        using var clock = new CancellationTokenSource(limit);
        using var late = clock.Token.UnsafeRegister(_ => End(Ending.Time), null);
        using var left = cancellation.UnsafeRegister(_ => End(Ending.Caller), null);
        var (output, errors) = await program.RunAsync(job, settings.OutputLimit, () => End(Ending.Output));
        var status = await program.Status;
        var own = 0;
        // Where bubblewrap has told the status in its report nobody waits for the shell.
        if (status is null) own = await _launcher!.WaitProgramAsync(CancellationToken.None);
        else await _launcher!.ForgetProgramAsync();
        await EmptyAsync();
        var code = command.Walls ? status : own;
        cancellation.ThrowIfCancellationRequested();
        if ((Ending)ending == Ending.Output) return new SandboxResult.OutputLimit();
        if (group?.Since(mark) is { } memory and not MemoryEnd.Enough)
            return memory == MemoryEnd.OverLimit ? new SandboxResult.OutOfMemory() : new SandboxResult.Fault("the machine ran out of memory, and the kernel ended a program that was below its own limit");
        if ((Ending)ending == Ending.Time && code is null or AllKilled or ProgramKilled) return new SandboxResult.Timeout();
        return code switch
        {
            null => new SandboxResult.Fault(own == AllKilled ? "the sandbox was killed from outside (SIGKILL)" : $"bubblewrap ended with {own}: {Tail(errors)}"),
            AllKilled or ProgramKilled => new SandboxResult.Fault("the program was killed from outside (SIGKILL)"),
            NoMemory => new SandboxResult.OutOfMemory(),
            _ => new SandboxResult.Exited(code.Value, output, errors),
        };

        void End(Ending why)
        {
            if (Interlocked.CompareExchange(ref ending, (int)why, (int)Ending.Own) == (int)Ending.Own) _ = KillAsync(program);
        }
    }

    /// <summary>A launcher that cannot be told is lost, and bubblewrap with it, which the one who reads its pipes sees.</summary>
    private async Task KillAsync(StartedProgram program)
    {
        try
        {
            if (program.Status.IsCompleted || (program.Kill() && await Task.WhenAny(program.Status, Task.Delay(TimeSpan.FromSeconds(2))) == program.Status)) return;
            await _launcher!.KillProgramAsync();
        }
        catch (SandboxFaultException)
        {
            foreach (var process in group?.Processes ?? []) Native.SendKill(process);
        }
    }

    /// <summary>The waiting interpreter, or a new one where it has died in the meantime.</summary>
    private async Task<StartedProgram> TakeAsync(CancellationToken cancellation)
    {
        if (_next is { } next)
        {
            _next = null;
            try
            {
                var waiting = await next.WaitAsync(cancellation);
                if (!waiting.Status.IsCompleted && !_launcher!.IsLost) return waiting;
                await waiting.DisposeAsync();
            }
            catch (SandboxFaultException)
            {
                // Why it failed will be told by the one below, if it fails as well.
            }

            await DropAsync();
        }

        return await StartAsync(cancellation);
    }

    private async Task<StartedProgram> StartAsync(CancellationToken cancellation)
    {
        _launcher ??= await Launcher.StartAsync(folder, group?.Entrances ?? [], user, settings, command, cancellation);
        return await StartedProgram.StartAsync(folder, _launcher, cancellation);
    }

    /// <summary>Nothing of a program may outlive it: bubblewrap's end has killed all of it, and this waits until the kernel is done.</summary>
    private async Task EmptyAsync()
    {
        if (group is null) return;
        using var patience = new CancellationTokenSource(Launcher.Patience);
        while (group.Processes.Where(process => process != _launcher!.Id).ToArray() is { Length: > 0 } left)
        {
            if (patience.IsCancellationRequested) throw new SandboxFaultException($"processes {string.Join(", ", left)} cannot be killed");
            foreach (var process in left) Native.SendKill(process);
            await Task.Delay(1, CancellationToken.None);
        }
    }

    private async Task DropAsync()
    {
        if (_next is { } next)
        {
            _next = null;
            try
            {
                await (await next).DisposeAsync();
            }
            catch (Exception gone) when (gone is SandboxFaultException or OperationCanceledException)
            {
                // It never was.
            }
        }

        if (_launcher is { } launcher)
        {
            _launcher = null;
            await launcher.DisposeAsync();
        }

        await EmptyAfterAllAsync();
    }

    private async Task EmptyAfterAllAsync()
    {
        using var patience = new CancellationTokenSource(Launcher.Patience);
        while (group is not null && group.Processes is { Count: > 0 } left && !patience.IsCancellationRequested)
        {
            foreach (var process in left) Native.SendKill(process);
            await Task.Delay(1, CancellationToken.None);
        }
    }

    private static string Tail(byte[] errors)
    {
        var text = System.Text.Encoding.UTF8.GetString(errors).Trim();
        return text.Length == 0 ? "it says nothing" : text.Length <= 300 ? text : text[^300..];
    }
}
