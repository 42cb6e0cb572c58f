using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Lateral.Rewards.Judging;

/// <summary>
/// Verdicts on disk, one JSON object a line: <c>{"key":"9f3c...","scores":{"score":7},"reason":"..."}</c>. It only grows; a line that a crash tore is
/// skipped, and the next one begins on a line of its own. Lines are not synced: what a power cut takes costs one request each.
/// </summary>
internal sealed partial class VerdictFile(string path)
{
    /// <summary>How long other processes may be in the way, which read or write their line in far less.</summary>
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10), LockPause = TimeSpan.FromMilliseconds(20);

    /// <summary>Oldest first; none where there is no file.</summary>
    /// <exception cref="JudgeFileException">the file cannot be read, or is something else</exception>
    public Task<IReadOnlyList<KeyValuePair<string, Verdict>>> ReadAsync(CancellationToken cancellation) => InTurnAsync("read", Read, cancellation);

    /// <exception cref="JudgeFileException">the file cannot be written</exception>
    public Task AppendAsync(string key, Verdict verdict, CancellationToken cancellation) =>
        WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { key, scores = verdict.Scores, reason = verdict.Reason }) + "\n"), cancellation);

    /// <summary>Shows that the file can be written, and makes it where there is none.</summary>
    /// <exception cref="JudgeFileException">the file cannot be written</exception>
    public Task ProveAsync(CancellationToken cancellation) => WriteAsync([], cancellation);

    private Task WriteAsync(byte[] line, CancellationToken cancellation) => InTurnAsync(
        "written",
        () =>
        {
            Append(line);
            return true;
        },
        cancellation);

    private async Task<T> InTurnAsync<T>(string what, Func<T> work, CancellationToken cancellation)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return work();
            }
            catch (IOException) when (!Directory.Exists(path) && TimeProvider.System.GetElapsedTime(since) < LockPatience)
            {
                await Task.Delay(LockPause, cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new JudgeFileException($"cache-file = {path} cannot be {what}: {error.Message}", error);
            }
        }
    }

    private IReadOnlyList<KeyValuePair<string, Verdict>> Read()
    {
        if (!File.Exists(path)) return [];
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), new UTF8Encoding(false));
        var (verdicts, unreadable) = (new List<KeyValuePair<string, Verdict>>(), 0);
        while (reader.ReadLine() is { } line)
            if (Parse(line) is { } entry) verdicts.Add(entry);
            else unreadable++;
        return verdicts.Count > 0 || unreadable <= 1 ? verdicts : throw new JudgeFileException($"cache-file = {path} is no file of verdicts: none of its {unreadable} lines is one - name another file");
    }

    /// <summary>Alone: other processes of the run may share the file.</summary>
    private void Append(byte[] line)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        using var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        if (stream.Length > 0)
        {
            stream.Position = stream.Length - 1;
            if (stream.ReadByte() != '\n') line = [(byte)'\n', .. line];
        }

        stream.Write(line);
    }

    private static KeyValuePair<string, Verdict>? Parse(string line)
    {
        try
        {
            var entry = JsonElement.Parse(line);
            if (JudgeReply.Field(entry, "key") is not { ValueKind: JsonValueKind.String } key || !Key().IsMatch(key.GetString()!)) return null;
            if (JudgeReply.Field(entry, "scores") is not { ValueKind: JsonValueKind.Object } scores || scores.EnumerateObject().Any(score => score.Value.ValueKind != JsonValueKind.Number)) return null;
            var byName = scores.EnumerateObject().ToImmutableSortedDictionary(score => score.Name, score => score.Value.GetDouble(), StringComparer.Ordinal);
            return KeyValuePair.Create(key.GetString()!, new Verdict(byName, JudgeReply.Field(entry, "reason") is { ValueKind: JsonValueKind.String } reason ? reason.GetString()! : ""));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [GeneratedRegex("^[0-9a-f]{64}$")]
    private static partial Regex Key();
}
