using System.Text;

namespace Lateral.Core;

/// <summary>A mounted file system, for example <c>nfs4</c> at <c>/home</c>.</summary>
/// <param name="Type">as the kernel calls it; elsewhere than on Linux <c>network</c> or <c>local</c></param>
public sealed record Mount(string Type, string Point)
{
    /// <summary>Locks and memory that several machines share are not kept on these, or not reliably.</summary>
    private static readonly HashSet<string> Network = new(StringComparer.OrdinalIgnoreCase)
    {
        "network", "nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "glusterfs", "orangefs", "ocfs2",
        "fuse.ceph", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse",
    };

    /// <summary>As many links as Linux follows in one path.</summary>
    private const int MaxLinks = 40;

    public bool IsNetwork => Network.Contains(Type);

    /// <summary>Where a folder lies that need not exist yet; null where the system does not tell.</summary>
    /// <exception cref="IOException">the path's links lead in a circle</exception>
    public static Mount? Of(string folder)
    {
        var path = RealPath(folder);
        if (OperatingSystem.IsLinux()) return Of(File.ReadAllText("/proc/self/mountinfo"), path);
        var drive = new DriveInfo(path);
        return new Mount(drive.DriveType == DriveType.Network ? "network" : "local", drive.Name);
    }

    /// <summary>The longest mount point that the path begins with; of two at one point the later one hides the other.</summary>
    /// <param name="mountinfo">the text of <c>/proc/self/mountinfo</c>: <c>36 35 0:42 /export /home rw shared:1 - nfs4 server:/export rw</c></param>
    /// <param name="path">absolute and without links</param>
    public static Mount? Of(string mountinfo, string path)
    {
        Mount? found = null;
        foreach (var line in mountinfo.Split('\n'))
        {
            var fields = line.Split(' ');
            // Optional fields stand between the sixth and a lone dash.
            var dash = Array.IndexOf(fields, "-", Math.Min(6, fields.Length));
            if (dash < 0 || dash + 1 >= fields.Length) continue;
            var mount = new Mount(Unescape(fields[dash + 1]), Unescape(fields[4]));
            if (mount.Holds(path) && (found is null || mount.Point.Length >= found.Point.Length)) found = mount;
        }

        return found;
    }

    /// <summary>The path with every link in it followed; what does not exist stays as it is.</summary>
    /// <exception cref="IOException">the links lead in a circle</exception>
    public static string RealPath(string path)
    {
        var left = new Stack<string>(Parts(Path.GetFullPath(path)).Reverse());
        var real = Path.GetPathRoot(Path.GetFullPath(path))!;
        for (var links = 0; left.TryPop(out var part);)
        {
            if (part == "..")
            {
                real = Path.GetDirectoryName(real) ?? real;
                continue;
            }

            var next = Path.Combine(real, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MaxLinks) throw new IOException($"'{path}' leads through more than {MaxLinks} links");
            if (Path.IsPathRooted(target)) real = Path.GetPathRoot(target)!;
            foreach (var step in Parts(target).Reverse()) left.Push(step);
        }

        return real;
    }

    private bool Holds(string path) => Point == "/" || path == Point || path.StartsWith(Point + '/', StringComparison.Ordinal);

    private static IEnumerable<string> Parts(string path) =>
        path[Path.GetPathRoot(path)!.Length..].Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries).Where(part => part != ".");

    /// <summary>The kernel writes space, tab, newline and backslash as three octal digits.</summary>
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal)) return text;
        var plain = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            var escaped = text[i] == '\\' && i + 3 < text.Length && text.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0;
            plain.Append(escaped ? (char)Convert.ToInt32(text.Substring(i + 1, 3), 8) : text[i]);
            if (escaped) i += 3;
        }

        return plain.ToString();
    }
}
