using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Lateral.Actors;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Node.Runs;

/// <summary>One rollout as it was recorded.</summary>
/// <param name="Reward">null while a pool has not valued it</param>
/// <param name="Breakdown">parts by pool and name</param>
/// <param name="Batch">the learner step whose batch holds it; null while none does, or where its group was given up</param>
/// <param name="GivenUp">why its group will never be trained; null otherwise</param>
public sealed record RecordedRollout(Trajectory Trajectory, double? Reward, ImmutableSortedDictionary<string, double> Breakdown, int? Batch, string? GivenUp);

/// <summary>Every rollout of a run by its id: trained ones from <c>rollouts/</c>, the others from the journal.</summary>
internal sealed class RecordedRollouts(RunDirectory run, RunSettings settings, ITokenizer tokenizer)
{
    /// <summary><c>group=5/rollout=2</c>, as ids are printed everywhere, or <c>5/2</c>.</summary>
    /// <exception cref="UserException">the text is no id</exception>
    public static RolloutId ParseId(string text)
    {
        var parts = text.Split('/');
        return parts.Length == 2 && Number(parts[0], "group=") is { } group && Number(parts[1], "rollout=") is { } sibling and <= int.MaxValue
            ? new RolloutId(group, (int)sibling)
            : throw new UserException(ExitCode.Usage, $"'{text}' is no rollout id; write group=5/rollout=2, or 5/2");

        static long? Number(string part, string label) =>
            long.TryParse(part.StartsWith(label, StringComparison.Ordinal) ? part.AsSpan(label.Length) : part, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    /// <exception cref="UserException">the run has no such rollout, or not yet; says which there are</exception>
    public RecordedRollout Find(RolloutId id) => Archived(id) ?? Journaled(id);

    private RecordedRollout? Archived(RolloutId id)
    {
        var start = $"{{\"id\":\"{id}\",";
        foreach (var path in ArchivesNear(id.Group / settings.Rollout.GroupsPerStep + 1))
        {
            if (File.ReadLines(path).FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal)) is { } line) return Read(id, JsonElement.Parse(line));
        }

        return null;
    }

    /// <summary>Groups are trained in about the order of their ordinals, so the right file is among the first.</summary>
    private IEnumerable<string> ArchivesNear(long step) =>
        Directory.Exists(run.Rollouts)
            ? Directory.EnumerateFiles(run.Rollouts, "step_*.jsonl")
                .Select(path => (Path: path, Step: int.TryParse(Path.GetFileNameWithoutExtension(path).AsSpan("step_".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var trained) ? trained : -1))
                .Where(file => file.Step > 0).OrderBy(file => Math.Abs(file.Step - step)).Select(file => file.Path)
            : [];

    private RecordedRollout Journaled(RolloutId id)
    {
        var events = RunJournal.Events(settings);
        var issued = events.OfType<GroupIssued>().Count();
        if (id.Group >= issued || id.Sibling >= settings.Rollout.GroupSize)
        {
            throw new UserException(
                ExitCode.Usage,
                $"run '{run.Name}' has no rollout {id}; " + (issued == 0 ? "it has none yet" : $"it has groups 0 to {issued - 1}, each with rollouts 0 to {settings.Rollout.GroupSize - 1}"));
        }

        var group = RunJournal.Group(settings, id.Group);
        if (!group.Trajectories.TryGetValue(id.Sibling, out var trajectory))
        {
            var sampled = group.Trajectories.Count == 0 ? "none of its group is" : $"of its group {string.Join(", ", group.Trajectories.Keys)} are";
            throw new UserException(ExitCode.Usage, $"rollout {id} is issued and not sampled; {sampled}{(group.QuarantineReason is { } reason ? $", and the group was given up: {reason}" : "")}");
        }

        // Siblings that still wait for their reward do not hide this one's.
        var alone = group with
        {
            GroupSize = 1,
            QuarantineReason = null,
            Trajectories = group.Trajectories.Where(pair => pair.Key == id.Sibling).ToImmutableSortedDictionary(),
            Rewards = group.Rewards.Where(pair => pair.Key.Sibling == id.Sibling).ToImmutableDictionary(),
        };
        var scored = alone.IsComplete ? alone.ToScored().Siblings[0] : null;
        var batch = events.OfType<BatchFormed>().FirstOrDefault(formed => formed.Groups.Any(member => member.Ordinal == id.Group));
        return new RecordedRollout(trajectory, scored?.Reward, scored?.Breakdown ?? ImmutableSortedDictionary<string, double>.Empty, batch?.Step, group.QuarantineReason);
    }

    private RecordedRollout Read(RolloutId id, JsonElement line)
    {
        var trajectory = new Trajectory(
            id,
            tokenizer.Encode(line.GetProperty("prompt").GetString()!),
            Numbers(line, "tokens", value => value.GetInt32()),
            Numbers(line, "reveal_step", value => value.GetInt32()),
            Numbers(line, "token_log_probs", Float),
            Numbers(line, "selection_log_probs", Float),
            Float(line.GetProperty("reveal_entropy")),
            Numbers(line, "versions", span => new PolicySpan(span.GetProperty("first_step").GetInt32(), span.GetProperty("version").GetInt32(), span.GetProperty("hash").GetString()!)),
            line.GetProperty("completion").GetString()!)
        {
            Given = line.TryGetProperty("given", out _) ? Numbers(line, "given", value => value.GetInt32()) : [],
            Guesses = line.TryGetProperty("guesses", out _) ? Numbers(line, "guesses", value => value.GetString()!) : [],
        };
        var breakdown = line.GetProperty("breakdown").EnumerateObject().ToImmutableSortedDictionary(part => part.Name, part => Double(part.Value), StringComparer.Ordinal);
        return new RecordedRollout(trajectory, Double(line.GetProperty("reward")), breakdown, line.GetProperty("step").GetInt32(), null);
    }

    private static ImmutableArray<T> Numbers<T>(JsonElement line, string name, Func<JsonElement, T> read) => [.. line.GetProperty(name).EnumerateArray().Select(read)];

    /// <summary>What JSON cannot say was written as null.</summary>
    private static double Double(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;

    private static float Float(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetSingle() : float.NaN;
}
