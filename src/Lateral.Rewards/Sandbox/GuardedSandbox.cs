using Lateral.Rewards.Sandbox.Kernel;

namespace Lateral.Rewards.Sandbox;

/// <summary>
/// A sandbox that is made when it is first needed and proves itself then and every hour: before the first program after an hour, six known ones run. While they do not end as they should, nothing runs, and the next caller tries
/// again with a new sandbox.
/// </summary>
internal sealed class GuardedSandbox(SandboxSettings settings, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _one = new(1);
    private PythonSandbox? _sandbox;
    private long _proven;

    /// <summary>What proves a sandbox; <see cref="SelfTest"/> but in tests.</summary>
    internal Func<PythonSandbox, SandboxSettings, CancellationToken, Task> Prove { get; init; } = SelfTest.RunAsync;

    /// <summary>A sandbox that has proven itself within the hour.</summary>
    /// <exception cref="SandboxUnavailableException">there is none, or it judges wrongly; the message says what is missing</exception>
    public async Task<PythonSandbox> GetAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            if (_sandbox is not null && time.GetElapsedTime(_proven) < Every) return _sandbox;
            try
            {
                _sandbox ??= await PythonSandbox.OpenAsync(settings, cancellation);
                await Prove(_sandbox, settings, cancellation);
            }
            catch (SandboxFaultException fault)
            {
                await DropAsync();
                throw new SandboxUnavailableException($"the sandbox cannot be made: {fault.Message}", fault);
            }
            catch
            {
                await DropAsync();
                throw;
            }

            _proven = time.GetTimestamp();
            return _sandbox;
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await DropAsync();
        _one.Dispose();
    }

    private async Task DropAsync()
    {
        if (_sandbox is not { } sandbox) return;
        _sandbox = null;
        await sandbox.DisposeAsync();
    }
}
