using System.Text;
using System.Text.Json;
using Lateral.Core;

namespace Lateral.Node.Runs;

/// <summary>
/// An append-only file of one JSON object per line, each with a <c>step</c>. A line that a crash tore is cut off when the
/// file is opened. Invariant: steps in the file are strictly ascending, so no step appears twice.
/// </summary>
internal sealed class JsonLinesFile
{
    private readonly string _path;

    public JsonLinesFile(string path)
    {
        _path = path;
        Last = File.Exists(path) ? CutTornTail(path) : null;
    }

    /// <summary>The last whole line; null when there is none.</summary>
    public JsonElement? Last { get; private set; }

    public int LastStep => Last?.GetProperty("step").GetInt32() ?? -1;

    /// <summary>Appends the object and waits until it is on the disk; does nothing when its step is recorded already.</summary>
    /// <returns>whether the line was written</returns>
    public bool Append(int step, IEnumerable<KeyValuePair<string, double>> metrics, IEnumerable<KeyValuePair<string, int>>? counts = null)
    {
        if (step <= LastStep) return false;
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteNumber("step", step);
            foreach (var (key, value) in counts ?? []) json.WriteNumber(key, value);
            foreach (var (key, value) in metrics) WriteNumber(json, key, value);
            json.WriteEndObject();
        }

        Last = JsonElement.Parse(line.ToArray());
        line.WriteByte((byte)'\n');
        using var file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read);
        line.WriteTo(file);
        file.Flush(flushToDisk: true);
        return true;
    }

    /// <summary>JSON has no NaN or infinity: such a value is written as null rather than left out.</summary>
    public static void WriteNumber(Utf8JsonWriter json, string key, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(key, value);
        else json.WriteNull(key);
    }

    /// <summary>Every whole line of the file, oldest first; a torn last line is left out.</summary>
    public static IEnumerable<JsonElement> Read(string path)
    {
        if (!File.Exists(path)) yield break;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (reader.ReadLine() is { } line)
            if (Parse(line) is { } element) yield return element;
    }

    /// <summary>Leaves the lines up to a step.</summary>
    public static void CutAfter(string path, int step)
    {
        if (!File.Exists(path)) return;
        var kept = File.ReadLines(path).Where(line => Parse(line) is { } element && element.GetProperty("step").GetInt32() <= step).ToList();
        DurableFile.WriteText(path, string.Concat(kept.Select(line => line + "\n")));
    }

    private static JsonElement? CutTornTail(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var end = bytes.Length;
        while (end > 0)
        {
            var start = end < 2 ? 0 : Array.LastIndexOf(bytes, (byte)'\n', end - 2) + 1;
            if (bytes[end - 1] == '\n' && Parse(Encoding.UTF8.GetString(bytes, start, end - 1 - start)) is { } last)
            {
                if (end < bytes.Length) file.SetLength(end);
                return last;
            }

            end = start;
        }

        if (bytes.Length > 0) file.SetLength(0);
        return null;
    }

    private static JsonElement? Parse(string line)
    {
        try
        {
            var element = JsonElement.Parse(line);
            return element.ValueKind == JsonValueKind.Object && element.TryGetProperty("step", out var step) && step.TryGetInt32(out _) ? element : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
