using System.Runtime.InteropServices;

namespace Lateral.Node.Sessions;

/// <summary>
/// Ctrl-C and SIGTERM: the first asks to drain and save, the second to stop at once. A process that another one of this program
/// started is asked by the end of its input, so that it also stops when its parent is gone.
/// </summary>
public sealed class Interruption : IDisposable
{
    /// <summary>Set for processes whose input belongs to their parent.</summary>
    public const string Supervised = "LATERAL_SUPERVISED";

    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<PosixSignalRegistration> _registrations = [];

    public Task Requested => _first.Task;

    public Task Insisted => _second.Task;

    /// <summary>Takes over the process's signals until disposed.</summary>
    public static Interruption OfProcess()
    {
        var interruption = new Interruption();
        var supervised = Environment.GetEnvironmentVariable(Supervised) == "1";
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM })
        {
            interruption._registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                // A terminal's Ctrl-C reaches parent and children alike; in which order they stop is the parent's to say.
                if (!supervised || signal != PosixSignal.SIGINT) interruption.Signal();
            }));
        }

        if (supervised) _ = interruption.ReadInputAsync(Console.OpenStandardInput());
        return interruption;
    }

    /// <summary>Nothing is ever written to the input; that it ends is the message.</summary>
    private async Task ReadInputAsync(Stream input)
    {
        await using (input)
        {
            var ignored = new byte[64];
            while (await input.ReadAsync(ignored) > 0)
            {
            }
        }

        Signal();
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
