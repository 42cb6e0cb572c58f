using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Lateral.Rewards.Sandbox.Groups;
using Lateral.Rewards.Sandbox.Kernel;

namespace Lateral.Rewards.Sandbox;

/// <summary>
/// Runs Python programs that nobody has read: without network, without the machine's files, with limits of memory, processes, output and time, each in a sandbox of its own. Any number of callers; as many
/// programs at once as there are slots.
/// </summary>
public sealed class PythonSandbox : IAsyncDisposable
{
    /// <summary>Slot i runs as this user + i where this process is root: a number that distributions give to nobody.</summary>
    private const int FirstUser = 60600;

    private static readonly Meter Meter = new("Lateral.Rewards");

    private static readonly Histogram<double> Seconds = Meter.CreateHistogram<double>("reward/sandbox/seconds", "s", "from a program's start to its end, without the wait for a slot");

    private static int _sandboxes;

    private readonly SandboxSettings _settings;
    private readonly SandboxFolder _folder;
    private readonly IReadOnlyList<Slot> _slots;
    private readonly IReadOnlyList<IControlGroup> _groups;
    private readonly ConcurrentStack<Slot> _free;
    private readonly SemaphoreSlim _places;
    private int _disposed;

    private PythonSandbox(SandboxSettings settings, Protection protection, SandboxFolder folder, IReadOnlyList<Slot> slots, IReadOnlyList<IControlGroup> groups)
    {
        (_settings, Protection, _folder, _slots, _groups) = (settings, protection, folder, slots, groups);
        (_free, _places) = (new(slots.Reverse()), new(slots.Count));
        // Nobody may wait for a process that is about to end: its launchers notice by themselves, and this takes their folders away.
        AppDomain.CurrentDomain.ProcessExit += AtExit;
    }

    /// <summary>What this machine gives; see <see cref="Protection.Missing"/>.</summary>
    public Protection Protection { get; }

    /// <exception cref="SandboxUnavailableException">something is missing; the message says what, and how to get it</exception>
    public static async Task<PythonSandbox> OpenAsync(SandboxSettings settings, CancellationToken cancellation)
    {
        if (!OperatingSystem.IsLinux()) throw new SandboxUnavailableException($"programs that a model writes are only run on Linux, in namespaces; this is {System.Runtime.InteropServices.RuntimeInformation.OSDescription}");
        var python = await PythonInstallation.FindAsync(settings.Python, cancellation);
        foreach (var tool in new[] { "prlimit", "setpriv" })
        {
            if (SandboxCommand.Find(tool) is null) throw new SandboxUnavailableException($"{tool} is missing, which sets limits and users - apt-get install util-linux");
        }

        var groups = ControlGroupFinder.System().Find();
        var command = await SandboxCommand.OfAsync(settings, python, groups is not null, cancellation);
        if (groups is not null) ControlGroupFinder.Sweep(groups);
        // Without walls a user of its own would only lose the way to the interpreter.
        var users = Native.IsRoot && command.Walls;
        SandboxFolder.Sweep();
        var folder = SandboxFolder.Make();
        var (number, slots, made) = (Interlocked.Increment(ref _sandboxes), new List<Slot>(), new List<IControlGroup>());
        for (var i = 0; i < settings.Slots; i++)
        {
            int? user = users ? FirstUser + i : null;
            var place = folder.MakeSlot(i, user);
            // Four for the shell, bubblewrap, the first process inside and the one before, and as many that have ended and that the machine's first process has not yet taken note of.
            if (groups?.Make(ControlGroupFinder.Name($"{number}-{i}"), settings.MemoryLimit, settings.Processes + 7) is { } group) made.Add(group);
            slots.Add(new Slot(place, user, groups is null ? null : made[^1], settings, command));
        }

        return new PythonSandbox(settings, new Protection(command.Walls, groups is not null, users), folder, slots, made);
    }

    /// <summary>Waits for a slot and runs a program with the settings' limits.</summary>
    /// <exception cref="OperationCanceledException">the program is dead, if it ran</exception>
    public Task<SandboxResult> RunAsync(SandboxJob job, CancellationToken cancellation) => RunAsync(job, _settings.TimeLimit, cancellation);

    internal async Task<SandboxResult> RunAsync(SandboxJob job, TimeSpan limit, CancellationToken cancellation)
    {
        await _places.WaitAsync(cancellation);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            if (!_free.TryPop(out var slot)) throw new InvalidOperationException("a place without a slot");
            try
            {
                var start = Stopwatch.GetTimestamp();
                var result = await slot.RunAsync(job, limit, cancellation);
                Seconds.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, new KeyValuePair<string, object?>("result", result.GetType().Name));
                return result;
            }
            finally
            {
                _free.Push(slot);
            }
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>Ends all programs and takes groups and folders away.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        AppDomain.CurrentDomain.ProcessExit -= AtExit;
        // What runs ends within its wall clock; whoever waits for a place is told.
        foreach (var _ in _slots) await _places.WaitAsync();
        try
        {
            foreach (var slot in _slots) await slot.DisposeAsync();
            foreach (var group in _groups) await RemoveAsync(group);
        }
        finally
        {
            _folder.Dispose();
            _places.Release(_slots.Count);
        }
    }

    /// <summary>The kernel keeps a group for a moment longer than its last process.</summary>
    private static async Task RemoveAsync(IControlGroup group)
    {
        var start = Stopwatch.GetTimestamp();
        for (; ; await Task.Delay(5))
        {
            try
            {
                group.Remove();
                return;
            }
            catch (SandboxFaultException) when (Stopwatch.GetElapsedTime(start) < Launcher.Patience)
            {
                // Told if it lasts.
            }
        }
    }

    /// <summary>The shells end with this process whatever happens here; what is left of folders the next one sweeps.</summary>
    private void AtExit(object? sender, EventArgs arguments)
    {
        try
        {
            DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(2));
        }
        catch (AggregateException)
        {
            // There is nobody left to tell.
        }
    }
}
