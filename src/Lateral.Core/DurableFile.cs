using System.Runtime.InteropServices;
using System.Text;

namespace Lateral.Core;

/// <summary>
/// Writes a file so that after a crash or a power cut either the old or the new content is there, whole: a temporary file in the same
/// folder, fsync, rename, fsync of the folder. .NET cannot sync a folder, so libc is called.
/// </summary>
public static class DurableFile
{
    private static readonly string[] Unfinished = [".*.tmp", ".*.old"];

    /// <param name="path">Replaced if it exists.</param>
    /// <param name="write">Writes the content; the stream is disposed afterwards.</param>
    /// <param name="bytes">The exact size, reserved first so that a full disk is met before anything is written; 0 if unknown.</param>
    /// <param name="sync">Off for what can be derived again: whole after a crash of the process, not after a power cut.</param>
    /// <exception cref="IOException">The disk is full or the folder cannot be written; the old content still stands.</exception>
    public static void Write(string path, Action<Stream> write, long bytes = 0, bool sync = true)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, PreallocationSize = bytes, BufferSize = 1 << 16 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using (var stream = new FileStream(temporary, options))
            {
                write(stream);
                stream.Flush(sync);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        if (sync) SyncDirectory(folder);
    }

    /// <summary>Copies a file as <see cref="Write"/> writes one.</summary>
    public static void Copy(string from, string to)
    {
        using var source = File.OpenRead(from);
        Write(to, source.CopyTo, source.Length);
    }

    /// <summary>Writes UTF-8 text.</summary>
    public static void WriteText(string path, string text, bool sync = true)
    {
        var content = Encoding.UTF8.GetBytes(text);
        Write(path, stream => stream.Write(content), content.Length, sync);
    }

    /// <summary>Removes what processes that were killed while they wrote left in a folder. For its one writer, before it writes: what somebody else is just writing would fail.</summary>
    public static void Sweep(string folder)
    {
        if (!Directory.Exists(folder)) return;
        var hidden = new EnumerationOptions { AttributesToSkip = FileAttributes.None };
        foreach (var pattern in Unfinished)
        {
            foreach (var path in Directory.EnumerateDirectories(folder, pattern, hidden)) Directory.Delete(path, recursive: true);
            foreach (var path in Directory.EnumerateFiles(folder, pattern, hidden)) File.Delete(path);
        }
    }

    /// <summary>Makes names created, renamed or removed in a folder survive a power cut. Windows does so by itself.</summary>
    public static void SyncDirectory(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(folder, 0);
        if (descriptor < 0) throw new IOException($"cannot open folder '{folder}' to sync it: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        try
        {
            if (Sync(descriptor) != 0) throw new IOException($"cannot sync folder '{folder}': {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int descriptor);
}
