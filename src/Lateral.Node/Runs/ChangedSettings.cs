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
    /// <summary>Told to the user; <c>*</c> stands for any word, and at the end for any number of them.</summary>
    private static readonly string[] Changeable =
        ["run.steps", "eval.*", "checkpoint.*", "compute.*", "topology.*", "learner.ranks", "learner.shard-deadline", "learner.spikes.*", "policies.*", "tls.*", "akka.*", "journal.connection-string", "journal.password", "journal.backup-every", "rollout.deadline", "reward.defaults.workers", "reward.defaults.timeout", "reward.pools.*.workers", "reward.pools.*.timeout", "reward.pools.*.slots", "reward.kinds.*.accept-unsandboxed", "reward.pools.*.accept-unsandboxed", "reward.on-constant", "reward.pools.*.url", "reward.pools.*.in-flight", "reward.pools.*.max-requests", "reward.pools.*.max-tokens"];

    /// <summary>The run's settings with the changes, which are kept for later resumes.</summary>
    /// <exception cref="UserException">a change would alter what was trained so far</exception>
    public static RunSettings Apply(RunCatalog catalog, RunDirectory run, IReadOnlyCollection<string> sets)
    {
        var before = catalog.Load(run, []);
        if (sets.Count == 0) return before.Settings;
        var after = catalog.Load(run, sets);
        var refused = ConfigDiff.Between(before.Resolved, after.Resolved).Select(change => change.Path).Where(path => !IsChangeable(path)).ToList();
        if (refused.Count > 0)
        {
            throw new UserException(
                ExitCode.Usage,
                $"a resume cannot change {string.Join(", ", refused)}: it would alter what run '{run.Name}' has trained so far; start a new run with --name\n"
                + $"a resume can change {string.Join(", ", Changeable)}");
        }

        // Before the first line: the configuration as written would keep a secret that is written out.
        _ = StoredConfig.Of(after.Resolved);
        EnvironmentProblem.Explain($"{run.ConfigResolved} cannot be written", () =>
        {
            File.AppendAllText(run.ConfigAsWritten, $"\n# --- changed by a resume\n{string.Join('\n', sets)}\n");
            run.Store(after.Resolved);
        });
        return after.Settings;
    }

    /// <summary>A run's name and folder follow from where it lies now; notes mean nothing to it.</summary>
    private static bool IsChangeable(string path) =>
        path is "run.dir" or "run.name" || path.StartsWith("x-", StringComparison.Ordinal) || Changeable.Any(pattern => Fits(path.Split('.'), pattern.Split('.')));

    private static bool Fits(ReadOnlySpan<string> path, ReadOnlySpan<string> pattern)
    {
        for (var i = 0; i < pattern.Length; i++)
        {
            if (i >= path.Length || (pattern[i] != "*" && pattern[i] != path[i])) return false;
            if (i == pattern.Length - 1 && pattern[i] == "*") return true;
        }

        return path.Length == pattern.Length;
    }
}
