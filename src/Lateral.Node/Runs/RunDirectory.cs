using Lateral.Configuration;
using Lateral.Core;
using Lateral.Core.Runs;

namespace Lateral.Node.Runs;

/// <summary>
/// One run's files. <c>config.resolved.json</c> is what a resume reads; <c>config.conf</c> is what the user wrote.
/// Invariant: a directory is created whole (config first, under another name) or not at all, and never overwritten.
/// </summary>
public sealed record RunDirectory(string Root)
{
    public string Name => Path.GetFileName(Root);

    public string ConfigAsWritten => Path.Combine(Root, "config.conf");

    public string ConfigResolved => Path.Combine(Root, "config.resolved.json");

    /// <summary>Which variables the configuration's secrets are read from; the secrets themselves are stored nowhere.</summary>
    public string ConfigSecrets => Path.Combine(Root, "config.secrets.conf");

    public string Metrics => Path.Combine(Root, "metrics.jsonl");

    public string Evaluations => Path.Combine(Root, "eval.jsonl");

    public string Rollouts => Path.Combine(Root, "rollouts");

    public string Checkpoints => Path.Combine(Root, "checkpoints");

    /// <summary>What a fork began from: a copy of its parent's checkpoint.</summary>
    public string Base => Path.Combine(Root, "base");

    public string Policies => Path.Combine(Root, "policies");

    public string Journal => Path.Combine(Root, "journal.db");

    public string Logs => Path.Combine(Root, "logs");

    public string Environment => Path.Combine(Root, "env.json");

    public string Status => Path.Combine(Root, "STATUS.md");

    /// <summary>What the run's process last said of itself, for <c>why</c>.</summary>
    public string LiveStatus => Path.Combine(Root, "status.json");

    public bool Exists => File.Exists(ConfigResolved);

    /// <summary>The path of a file named relative to the run directory.</summary>
    /// <exception cref="UserException">the name leads out of the directory</exception>
    public string Resolve(string location)
    {
        var path = Path.GetFullPath(Path.Combine(Root, location));
        return path.StartsWith(Path.GetFullPath(Root) + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new UserException(ExitCode.Environment, $"'{location}' leads out of the run directory {Root}");
    }

    /// <exception cref="UserException">the run exists, or something else lies where it would</exception>
    public static RunDirectory RequireNew(RunSettings settings)
    {
        var directory = new RunDirectory(Path.GetFullPath(settings.Directory));
        if (directory.Exists)
        {
            throw new UserException(ExitCode.Usage, $"""
                run '{settings.Name}' exists in {directory.Root} and a run is never overwritten
                  go on with it:     {Commands.Resume(settings)}
                  start another:     add --name {settings.Name}-2
                """);
        }

        // What a crash left before the config was there holds nothing worth keeping; anything else is not ours.
        if (Directory.Exists(directory.Root) && Directory.EnumerateFileSystemEntries(directory.Root).Any(entry => !Leftover(entry)))
            throw new UserException(ExitCode.Usage, $"{directory.Root} exists, is not empty and is not a run; choose another --name or --runs-dir");
        return directory;
    }

    /// <summary>Makes the directory of a new run.</summary>
    /// <param name="fill">puts what the run begins with into its directory, before the configuration makes it one</param>
    /// <exception cref="UserException">the run exists, or the directory cannot be written</exception>
    /// <exception cref="ConfigException">a secret is written out instead of read from the environment</exception>
    public static RunDirectory Create(RunSettings settings, WrittenConfig written, Action<RunDirectory>? fill = null)
    {
        var directory = RequireNew(settings);
        // Before the first file: the configuration as written would keep a secret that is written out.
        _ = StoredConfig.Of(written.Resolved);
        EnvironmentProblem.Explain($"the run directory {directory.Root} cannot be written", () =>
        {
            var parent = Directory.CreateDirectory(Path.GetDirectoryName(directory.Root)!).FullName;
            EnvironmentProblem.RequireSpace(parent, EnvironmentProblem.FreeBytes(parent));
            foreach (var folder in new[] { directory.Root, directory.Rollouts, directory.Checkpoints, directory.Policies, directory.Logs }) Directory.CreateDirectory(folder);
            fill?.Invoke(directory);
            DurableFile.WriteText(directory.ConfigAsWritten, written.AsWritten);
            DurableFile.WriteText(directory.Environment, EnvironmentReport.Json());
            directory.Store(written.Resolved);
        });
        return directory;
    }

    /// <summary>Writes what a resume reads, without the secrets. What was known of a secret stays known where its variable is not set now.</summary>
    /// <exception cref="ConfigException">a secret is written out instead of read from the environment</exception>
    public void Store(ConfigObject resolved)
    {
        var stored = StoredConfig.Of(resolved);
        string[] known = File.Exists(ConfigSecrets) ? [.. File.ReadLines(ConfigSecrets).Where(line => !line.StartsWith('#'))] : [];
        string[] lines = [.. known.Union(stored.Variables)];
        if (lines.Length > 0) DurableFile.WriteText(ConfigSecrets, "# Secrets are stored nowhere: each is read from the environment at every start.\n" + string.Concat(lines.Select(line => line + "\n")));
        DurableFile.WriteText(ConfigResolved, CanonicalJson.Write(stored.Tree, indented: true) + "\n");
    }

    private static bool Leftover(string entry) =>
        Path.GetFileName(entry) is "rollouts" or "checkpoints" or "base" or "policies" or "logs" or "config.conf" or "config.secrets.conf" or "env.json" or RunLock.FileName or RunLock.OwnerFileName
        || entry.EndsWith(".tmp", StringComparison.Ordinal);
}

/// <summary>A configuration as the user gave it and as it was understood.</summary>
/// <param name="AsWritten">the text of every file in order, and the settings of the command line</param>
public sealed record WrittenConfig(string AsWritten, ConfigObject Resolved);
