using Lateral.Core;
using Lateral.Node.Estimation;

namespace Lateral.Node.Checkup;

/// <summary>The folder of the runs: writable, large enough, on a local disk where the journal is in it, under a clock that goes right.</summary>
internal static class FolderCheck
{
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(5);

    /// <param name="needed">bytes that a run will write at least</param>
    public static IEnumerable<Finding> Of(string folder, long needed)
    {
        var full = Path.GetFullPath(folder);
        List<Finding> findings;
        try
        {
            var existing = full;
            while (!Directory.Exists(existing)) existing = Path.GetDirectoryName(existing)!;
            findings = [.. Examine(full, existing, needed)];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            findings = [new Finding("runs folder", false, $"{full} cannot be written: {failure.Message}", "choose another --runs-dir")];
        }

        return findings;
    }

    /// <summary>Where no configuration says otherwise, a run's journal is in its directory; null = that is well.</summary>
    public static Finding? Journal(string folder) => Mount.Of(folder) is { IsNetwork: true } mount
        ? new Finding("journal", false, $"{Path.GetFullPath(folder)} is on the network ({mount.Type}, mounted at {mount.Point}): SQLite's locks do not hold there", "choose a --runs-dir on a local disk, set journal.dir to one, or journal.kind = postgres")
        : null;

    private static IEnumerable<Finding> Examine(string full, string existing, long needed)
    {
        var probe = Path.Combine(existing, $".lateral-{Guid.NewGuid():N}");
        File.WriteAllText(probe, "probe");
        var difference = (TimeProvider.System.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(probe)).Duration();
        File.Delete(probe);
        var free = EnvironmentProblem.FreeBytes(existing);
        yield return free >= needed
            ? new Finding("runs folder", true, $"{full}, {Bytes.Text(free)} free")
            : new Finding("runs folder", false, $"{full} has {Bytes.Text(free)} free and a run needs {Bytes.Text(needed)}", "free some space, or choose another --runs-dir");
        // A file server with another clock makes "how old is it" wrong; so does a machine without time.
        yield return difference <= Skew
            ? new Finding("clock", true, $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm:ss}Z, as the file system says")
            : new Finding("clock", false, $"this machine and the file system of {full} differ by {difference.TotalSeconds:0} s", "set both by NTP (timedatectl set-ntp true)");
    }
}
