using System.Text.Json;
using System.Text.Json.Serialization;
using Lateral.Core;
using Lateral.Core.Runs;

namespace Lateral.Node.Runs;

/// <summary>
/// What a run's process last said of itself, about once a second, in <c>status.json</c>: how another process can answer
/// "why is nothing happening?" whether this one works, hangs or is gone.
/// </summary>
/// <param name="Written">UTC</param>
/// <param name="Process">its id on <paramref name="Machine"/></param>
/// <param name="End">null while the process works; stays null when it is killed</param>
/// <param name="Status">null before the actors run</param>
public sealed record StatusFile(DateTimeOffset Written, int Process, string Machine, RunEnd? End, RunStatus? Status)
{
    /// <summary>Room for the last word on a full disk, whatever was written before: a block of most file systems.</summary>
    private const int LeastLength = 4095;

    internal static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        // A figure may be NaN or infinite; that must not cost the rest.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals | JsonNumberHandling.AllowReadingFromString,
        WriteIndented = true,
    };

    /// <returns>null when there is none, or one that another version of this program wrote</returns>
    public static StatusFile? Read(RunDirectory run)
    {
        try
        {
            return JsonSerializer.Deserialize<StatusFile>(File.ReadAllBytes(run.LiveStatus), Json);
        }
        catch (Exception absent) when (absent is FileNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Whole or not at all. Not synced: it is worth nothing after a power cut.</summary>
    /// <exception cref="IOException">the disk is full, or the folder cannot be written</exception>
    public void Write(RunDirectory run) => DurableFile.WriteText(run.LiveStatus, JsonSerializer.Serialize(this, Json).PadRight(LeastLength) + "\n", sync: false);

    /// <summary>Into the space that the file before it has: a full disk gives no other, and what is freed on it is taken by whoever is next.</summary>
    /// <exception cref="IOException">there is no file, or it is too small</exception>
    public void WriteInPlace(RunDirectory run)
    {
        using var file = new FileStream(run.LiveStatus, FileMode.Open, FileAccess.Write, FileShare.Read, 1);
        var text = JsonSerializer.SerializeToUtf8Bytes(this, Json);
        if (text.Length > file.Length) throw new IOException($"{run.LiveStatus} has {file.Length} bytes and {text.Length} are needed");
        var padded = new byte[file.Length];
        padded.AsSpan().Fill((byte)' ');
        text.CopyTo(padded, 0);
        file.Write(padded);
    }
}
