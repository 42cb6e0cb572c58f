namespace Lateral.Chaos.Deployment;

/// <summary>A disk of a few megabytes that can be filled and freed: a tmpfs, unmounted by <see cref="Janitor"/>.</summary>
internal sealed class SmallDisk
{
    private const int Full = 28;

    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    private string Filler => System.IO.Path.Combine(Path, "filler");

    /// <returns>null where this process may not mount</returns>
    public static async Task<SmallDisk?> TryMountAsync(string path, Janitor janitor)
    {
        Directory.CreateDirectory(path);
        if (!Environment.IsPrivilegedProcess) return null;
        var (code, _) = await Command.TryAsync("mount", "-t", "tmpfs", "-o", "size=96m", "lateral-chaos", path);
        if (code != 0) return null;
        janitor.Unmount(path);
        return new SmallDisk(path);
    }

    /// <summary>Takes every free byte.</summary>
    public void Fill()
    {
        using var stream = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, 1);
        var block = new byte[64 << 10];
        // Ever smaller pieces, until not one byte is left.
        for (var piece = block.Length; piece > 0; piece = Written(stream, block, piece) ? piece : piece / 2)
        {
        }
    }

    public void Free() => File.Delete(Filler);

    private static bool Written(FileStream stream, byte[] block, int piece)
    {
        try
        {
            stream.Write(block, 0, piece);
            return true;
        }
        catch (IOException full) when ((full.HResult & 0xFFFF) == Full)
        {
            return false;
        }
    }
}
