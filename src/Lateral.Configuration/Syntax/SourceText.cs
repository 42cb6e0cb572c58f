using System.Text;
using System.Text.Unicode;

namespace Lateral.Configuration;

/// <summary>A file is not text that a configuration can be written in; where it stops being so.</summary>
/// <param name="line">from 1; 0 when it is the whole file</param>
/// <param name="column">in characters, from 1</param>
public sealed class SourceTextException(int line, int column, string message) : IOException(message)
{
    public int Line { get; } = line;

    public int Column { get; } = column;
}

/// <summary>Files to text. The specification wants UTF-8, and a replaced byte would be a silently changed setting.</summary>
public static class SourceText
{
    /// <summary>Bytes read of one file: far above any configuration, and an end to files that have none, such as /dev/zero.</summary>
    internal const int MaxBytes = 16 << 20;

    /// <returns>the text, without its byte order mark; null when there is no such file</returns>
    /// <exception cref="SourceTextException">the file is too long, or not UTF-8</exception>
    /// <exception cref="IOException">the file cannot be read</exception>
    public static string? ReadFile(string path)
    {
        if (!File.Exists(path)) return null;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var bytes = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (bytes.Length <= MaxBytes && stream.Read(buffer) is > 0 and var count) bytes.Write(buffer, 0, count);
        return Decode(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <exception cref="SourceTextException">too long, or not UTF-8</exception>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxBytes) throw new SourceTextException(0, 0, $"it has more than {MaxBytes >> 20} MiB - no configuration is that long - is this the right file?");
        if (bytes.StartsWith([(byte)0xFF, (byte)0xFE]) || bytes.StartsWith([(byte)0xFE, (byte)0xFF]))
            throw new SourceTextException(1, 1, "it is UTF-16 - a config file is UTF-8 - save it as UTF-8");
        if (bytes.StartsWith([(byte)0xEF, (byte)0xBB, (byte)0xBF])) bytes = bytes[3..];
        if (Utf8.IsValid(bytes)) return Encoding.UTF8.GetString(bytes);

        var valid = 0;
        while (Rune.DecodeFromUtf8(bytes[valid..], out _, out var length) == System.Buffers.OperationStatus.Done) valid += length;
        var before = Encoding.UTF8.GetString(bytes[..valid]);
        throw new SourceTextException(
            before.Count(c => c == '\n') + 1, before.Length - before.LastIndexOf('\n'),
            $"byte 0x{bytes[valid]:X2} is not UTF-8 - a config file is UTF-8 - save it as UTF-8, or name another file");
    }
}
