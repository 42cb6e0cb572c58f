using Lateral.Node.Estimation;

namespace Lateral.Node.Checkup;

/// <summary>The folder of the runs: writable, large enough, on a local disk, under a clock that goes right.</summary>
internal static class FolderCheck
{
    private static readonly string[] Network = ["nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "fuse.sshfs", "9p", "ceph", "lustre", "glusterfs", "afs"];
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
        var format = new DriveInfo(existing).DriveFormat;
        if (Network.Contains(format, StringComparer.OrdinalIgnoreCase))
            yield return new Finding("journal", false, $"{full} lies on {format}: SQLite's locks are not kept over a network", "choose a --runs-dir on a local disk");
        // A file server with another clock makes "how old is it" wrong; so does a machine without time.
        yield return difference <= Skew
            ? new Finding("clock", true, $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm:ss}Z, as the file system says")
            : new Finding("clock", false, $"this machine and the file system of {full} differ by {difference.TotalSeconds:0} s", "set both by NTP (timedatectl set-ntp true)");
    }
}
