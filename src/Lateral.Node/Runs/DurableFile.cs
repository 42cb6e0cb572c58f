using System.Text;

namespace Lateral.Node.Runs;

/// <summary>Files that are either whole or absent: written beside their place, then renamed over it.</summary>
internal static class DurableFile
{
    /// <param name="fsync">wait until the content is on the disk; leave it off for what can be derived again</param>
    public static void Write(string path, Action<Stream> write, bool fsync = true)
    {
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(fsync);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    public static void WriteText(string path, string text, bool fsync = true) =>
        Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)), fsync);
}
