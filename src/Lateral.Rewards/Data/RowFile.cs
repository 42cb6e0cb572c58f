using System.IO.Compression;

namespace Lateral.Rewards.Data;

/// <summary>A file of rows, read one after the other: JSON lines, CSV with a header, or Parquet; each row becomes the text of one JSON object.</summary>
internal static class RowFile
{
    /// <summary>The rows in the file's order, as they are asked for; blank lines are no rows.</summary>
    /// <exception cref="DataException">the file is missing, cannot be read, or is of another form; thrown where the enumeration gets there</exception>
    public static IEnumerable<DataLine> Rows(string path) => Kind(path) switch
    {
        ".csv" => CsvRows.Read(path),
        ".parquet" => ParquetRows.Read(path),
        ".jsonl" or ".ndjson" or ".json" => Lines(path),
        var other => throw new DataException(path, 0, 0, $"is a file of kind '{other}'", "rows are read from .jsonl, .csv and .parquet, the first two also as .gz", "convert it to JSON lines"),
    };

    /// <summary>The lines of a file that are not blank; of one that ends with .gz, as it was before it was packed.</summary>
    /// <exception cref="DataException">it is missing or cannot be read</exception>
    public static IEnumerable<DataLine> Lines(string path)
    {
        using var reader = new StreamReader(Open(path));
        for (var number = 1; ; number++)
        {
            if (Explain(path, reader.ReadLine) is not { } line) yield break;
            if (!string.IsNullOrWhiteSpace(line)) yield return new DataLine(path, number, line);
        }
    }

    /// <exception cref="DataException">the file is missing or cannot be opened</exception>
    public static Stream Open(string path)
    {
        var file = Explain(path, () => File.OpenRead(path))!;
        return path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    /// <summary>What goes wrong between the program and the disk, as the file's fault.</summary>
    /// <exception cref="DataException">it went wrong</exception>
    public static T Explain<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataException(path, 0, 0, "does not exist", $"looked from {Environment.CurrentDirectory}", "check the path");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or InvalidDataException)
        {
            throw new DataException(path, 0, 0, "cannot be read", e.Message, "give the path of a readable file");
        }
    }

    private static string Kind(string path) => Path.GetExtension(path.EndsWith(".gz", StringComparison.Ordinal) ? path[..^3] : path).ToLowerInvariant();
}
