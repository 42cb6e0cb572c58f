using System.Runtime.InteropServices;

namespace Lateral.Core;

/// <summary>
/// Places where a test may kill, stop or poison this very process, so that a fault can be had at the worst moment instead of at
/// a random one. Armed only by <see cref="Variable"/>, which names a folder: a file in it that is called like a place says what
/// happens there. Without the variable a place costs one comparison. Killing and stopping work on Linux.
/// </summary>
public static class Failpoint
{
    /// <summary>Environment variable with the folder.</summary>
    public const string Variable = "LATERAL_FAILPOINTS";

    /// <summary>What a taken file is called afterwards, for whoever waits for the fault.</summary>
    public const string Taken = ".taken";

    private const int SigKill = 9, SigStop = 19;

    private static readonly string? Folder = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? folder : null;

    public static bool IsArmed => Folder is not null;

    /// <summary>Where the place's file says <c>kill</c> this process dies as by <c>kill -9</c>; where it says <c>stop</c> it stands still until it gets SIGCONT.</summary>
    public static void Reach(string place)
    {
        if (Take(place) is not { } action) return;
        _ = Kill(Environment.ProcessId, action == "kill" ? SigKill : SigStop);
    }

    /// <summary>The content of the place's file, which is renamed: it happens once, to whichever process comes first.</summary>
    public static string? Take(string place)
    {
        if (Folder is null || Path.Combine(Folder, place) is var file && !File.Exists(file)) return null;
        try
        {
            File.Move(file, file + Taken, overwrite: true);
            return File.ReadAllText(file + Taken).Trim();
        }
        catch (FileNotFoundException)
        {
            // Another process was first.
            return null;
        }
    }

    /// <summary>Whether the place's file is there; it stays, so that work that is done again meets the same fault again.</summary>
    public static bool Holds(string place) => Folder is not null && File.Exists(Path.Combine(Folder, place));

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
