using System.Runtime.InteropServices;

namespace Lateral.Node.Sessions;

/// <summary>Ctrl-C and SIGTERM: the first asks to drain and save, the second to stop at once.</summary>
public sealed class Interruption : IDisposable
{
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<PosixSignalRegistration> _registrations = [];

    public Task Requested => _first.Task;

    public Task Insisted => _second.Task;

    /// <summary>Takes over the process's signals until disposed.</summary>
    public static Interruption OfProcess()
    {
        var interruption = new Interruption();
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM })
        {
            interruption._registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                interruption.Signal();
            }));
        }

        return interruption;
    }

    public void Signal()
    {
        if (!_first.TrySetResult()) _second.TrySetResult();
    }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }
}
