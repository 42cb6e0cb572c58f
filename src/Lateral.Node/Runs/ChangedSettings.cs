using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core.Runs;

namespace Lateral.Node.Runs;

/// <summary>
/// Settings that a resume may change: how long, how often, and where. What decides the meaning of the journaled
/// trajectories (task, model, rollout, algorithm, seed) stays as it was started.
/// </summary>
internal static class ChangedSettings
{
    private static readonly string[] Changeable = ["run.steps", "run.dir", "run.name", "eval.", "checkpoint.", "compute.", "topology.", "akka.", "journal.connection-string", "journal.password", "rollout.deadline", "x-"];

    /// <summary>The run's settings with the changes, which are kept for later resumes.</summary>
    /// <exception cref="UserException">a change would alter what was trained so far</exception>
    public static RunSettings Apply(RunCatalog catalog, RunDirectory run, IReadOnlyCollection<string> sets)
    {
        var before = catalog.Load(run, []);
        if (sets.Count == 0) return before.Settings;
        var after = catalog.Load(run, sets);
        var refused = Differences(before.Resolved, after.Resolved).Where(path => !Changeable.Any(allowed => path == allowed || (allowed[^1] is '.' or '-' && path.StartsWith(allowed, StringComparison.Ordinal)))).ToList();
        if (refused.Count > 0)
        {
            throw new UserException(
                ExitCode.Usage,
                $"a resume cannot change {string.Join(", ", refused)}: it would alter what run '{run.Name}' has trained so far; start a new run with --name\n"
                + $"a resume can change {string.Join(", ", Changeable.Where(key => key is not ("run.dir" or "run.name" or "x-")).Select(key => key[^1] == '.' ? key + "*" : key))}");
        }

        EnvironmentProblem.Explain($"{run.ConfigResolved} cannot be written", () =>
        {
            File.AppendAllText(run.ConfigAsWritten, $"\n# --- changed by a resume\n{string.Join('\n', sets)}\n");
            run.Store(after.Resolved);
        });
        return after.Settings;
    }

    private static IEnumerable<string> Differences(ConfigObject before, ConfigObject after)
    {
        var (old, changed) = (Leaves(before, "").ToDictionary(), Leaves(after, "").ToDictionary());
        return old.Keys.Union(changed.Keys).Where(path => old.GetValueOrDefault(path) != changed.GetValueOrDefault(path)).Order(StringComparer.Ordinal);
    }

    private static IEnumerable<KeyValuePair<string, string>> Leaves(ConfigValue value, string path) =>
        value is ConfigObject section
            ? section.Fields.SelectMany(field => Leaves(field.Value, path.Length == 0 ? field.Key : $"{path}.{field.Key}"))
            : [KeyValuePair.Create(path, CanonicalJson.Write(value))];
}
