using System.Globalization;
using System.Text.Json;
using Lateral.Core;

namespace Lateral.Node.Runs;

/// <summary>A sibling as the archive has it.</summary>
/// <param name="Step">the learner step that trained on it</param>
internal sealed record ArchivedSibling(long Group, int Sibling, int Step, string Completion, double Reward);

/// <summary>Two siblings of one group, the first of which earned more.</summary>
internal sealed record PreferredSibling(ArchivedSibling Chosen, ArchivedSibling Rejected);

/// <summary>
/// Preferences that a run has expressed by its rewards: of every trained group the best against the worst, then the second best against the second worst. A line a pair:
/// <c>{"prompt":"31415","chosen":"11345","rejected":"54311","chosen_reward":1,"rejected_reward":0,"group":5,"step":3}</c>.
/// </summary>
internal static class PreferencePairs
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Every rollout in <c>rollouts/</c>, in the order of the steps.</summary>
    public static IEnumerable<ArchivedSibling> Archived(RunDirectory run)
    {
        if (!Directory.Exists(run.Rollouts)) yield break;
        var files = Directory.EnumerateFiles(run.Rollouts, "step_*.jsonl")
            .Select(path => (Path: path, Step: int.TryParse(Path.GetFileNameWithoutExtension(path).AsSpan("step_".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : 0))
            .Where(file => file.Step > 0).OrderBy(file => file.Step);
        foreach (var line in files.SelectMany(file => JsonLinesFile.Read(file.Path)))
        {
            var id = RecordedRollouts.ParseId(line.GetProperty("id").GetString()!);
            var reward = line.GetProperty("reward");
            yield return new(
                id.Group, id.Sibling, line.GetProperty("step").GetInt32(), line.GetProperty("completion").GetString()!,
                // What JSON cannot say was written as null.
                reward.ValueKind == JsonValueKind.Number ? reward.GetDouble() : double.NaN);
        }
    }

    /// <param name="siblings">of one group; equal rewards are taken in the order of siblings</param>
    /// <param name="margin">what the rewards of a pair differ by is more than this</param>
    /// <param name="most">pairs</param>
    public static IEnumerable<PreferredSibling> Of(IEnumerable<ArchivedSibling> siblings, double margin, int most)
    {
        ArchivedSibling[] ranked = [.. siblings.Where(sibling => double.IsFinite(sibling.Reward)).OrderByDescending(sibling => sibling.Reward).ThenBy(sibling => sibling.Sibling)];
        return Enumerable.Range(0, Math.Min(most, ranked.Length / 2))
            .Select(i => new PreferredSibling(ranked[i], ranked[^(i + 1)]))
            // One text that was rewarded in two ways prefers nothing.
            .Where(pair => pair.Chosen.Reward - pair.Rejected.Reward > margin && pair.Chosen.Completion != pair.Rejected.Completion)
            .DistinctBy(pair => (pair.Chosen.Completion, pair.Rejected.Completion));
    }

    /// <summary>Writes durably; a file that is there is replaced.</summary>
    /// <param name="prompt">a group's prompt, as the verifiers saw it</param>
    public static void Write(string path, IEnumerable<PreferredSibling> pairs, Func<long, string> prompt) => DurableFile.Write(path, stream =>
    {
        using var json = new Utf8JsonWriter(stream, Plain);
        foreach (var (chosen, rejected) in pairs)
        {
            json.WriteStartObject();
            json.WriteString("prompt", prompt(chosen.Group));
            json.WriteString("chosen", chosen.Completion);
            json.WriteString("rejected", rejected.Completion);
            json.WriteNumber("chosen_reward", chosen.Reward);
            json.WriteNumber("rejected_reward", rejected.Reward);
            json.WriteNumber("group", chosen.Group);
            json.WriteNumber("step", chosen.Step);
            json.WriteEndObject();
            json.Flush();
            stream.WriteByte((byte)'\n');
            json.Reset();
        }
    });
}
