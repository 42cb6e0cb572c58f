using Lateral.Core.Runs;

namespace Lateral.Node.Runs;

/// <summary>What this process can see of a run that another process may be working on.</summary>
internal static class RunObservation
{
    public static Surroundings Of(RunDirectory run, StatusFile? last, TimeProvider time)
    {
        var held = RunLock.IsHeld(run);
        // Before its first status a process is as old as the lock's owner file.
        var spoke = last?.Written ?? (held ? new DateTimeOffset(File.GetLastWriteTimeUtc(Path.Combine(run.Root, RunLock.OwnerFileName))) : time.GetUtcNow());
        var silent = Math.Max(0, (time.GetUtcNow() - spoke).TotalSeconds);
        return new Surroundings(held, last?.Process, silent, EnvironmentProblem.FreeBytes(run.Root), last?.End, held && IsSuspended(last));
    }

    /// <summary>State T (stopped) or t (traced) in Linux's /proc; other systems do not say.</summary>
    private static bool IsSuspended(StatusFile? last)
    {
        if (last is null || last.Machine != Environment.MachineName || !OperatingSystem.IsLinux()) return false;
        try
        {
            return File.ReadLines($"/proc/{last.Process}/status").Any(line => line.StartsWith("State:\tT", StringComparison.OrdinalIgnoreCase));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It ended just now, or belongs to somebody else: then its silence has to say enough.
            return false;
        }
    }
}
