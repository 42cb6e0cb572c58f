using Lateral.Actors;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core.Policies;
using Lateral.Core.Runs;
using Lateral.Diffusion.Learning;

namespace Lateral.Node.Runs;

/// <summary>
/// A new run that begins from another run's checkpoint: its weights and its optimizer become version 0. Prompts go on
/// behind the last one that the checkpoint was trained on, so none is repeated, and the seed stays, so the held-out split
/// does too. What the fork needs is copied: the parent may be deleted afterwards. Steps and learning-rate schedule count
/// from the fork's own step 1.
/// </summary>
/// <param name="From">the parent's checkpoint</param>
/// <param name="Settings">the fork's own, with the tree they were read from</param>
internal sealed record Fork(RunDirectory Parent, RunSettings ParentSettings, PolicyManifest From, LoadedSettings Settings, IReadOnlyCollection<string> Changes)
{
    /// <summary>What makes a fork a fork, by key, and why it cannot be changed.</summary>
    private static readonly (string Key, string Why)[] Kept =
    [
        ("run.name", "name the fork with --name"),
        ("run.dir", "a fork lies beside its parent"),
        ("run.seed", "the held-out split follows from the seed, and the checkpoint has been trained on the rest of it"),
        ("run.first-prompt", "a fork goes on behind its parent's last prompt"),
        ("run.forked-from", "it says where the fork comes from"),
        ("model.", "the checkpoint's weights have their own shape"),
        ("warmup.", "a fork starts from the checkpoint's weights and has no warm-up"),
    ];

    /// <summary>The folder of the parent's checkpoint.</summary>
    public string Checkpoint => Path.GetDirectoryName(Parent.Resolve(From.Location))!;

    /// <param name="sets">the fork's changes, in HOCON</param>
    /// <exception cref="UserException">no such run or checkpoint, or a change that a fork cannot have</exception>
    /// <exception cref="ConfigException">the changes are wrong in themselves</exception>
    public static Fork Of(RunCatalog catalog, RunReference reference, string name, IReadOnlyCollection<string> sets)
    {
        var parent = catalog.Find(reference.Name);
        var before = catalog.Load(parent, []);
        RequireChangeable(before.Resolved, catalog.Load(parent, sets).Resolved);
        var from = SavedPolicy.Find(parent, reference.Step);
        string[] identity =
        [
            RunSettingsLoader.Set("run.name", name), RunSettingsLoader.Set("run.forked-from", $"{parent.Name}@{from.Version}"),
            $"run.first-prompt = {FirstPrompt(before.Settings, from.Version)}", "warmup.steps = 0",
        ];
        return new Fork(parent, before.Settings, from, catalog.Load(parent, [.. sets, .. identity]), [.. sets, .. identity]);
    }

    /// <summary>Makes the fork's directory, whole or not at all.</summary>
    /// <exception cref="UserException">the name is taken, or the directory cannot be written</exception>
    /// <exception cref="PolicyUnavailableException">the parent's checkpoint is damaged</exception>
    public RunDirectory Create()
    {
        var written = $"{File.ReadAllText(Parent.ConfigAsWritten).TrimEnd()}\n\n# --- forked from {Settings.Settings.ForkedFrom}\n{string.Join('\n', Changes)}\n";
        return RunDirectory.Create(Settings.Settings, new WrittenConfig(written, Settings.Resolved), directory =>
            CheckpointFolder.Copy(Checkpoint, Directory.CreateDirectory(directory.Base).FullName));
    }

    private static void RequireChangeable(ConfigObject before, ConfigObject after)
    {
        var refused = ConfigDiff.Between(before, after).Select(change => change.Path)
            .Select(path => (Path: path, Kept.FirstOrDefault(kept => path == kept.Key || (kept.Key[^1] == '.' && path.StartsWith(kept.Key, StringComparison.Ordinal))).Why))
            .Where(change => change.Why is not null).ToList();
        if (refused.Count > 0)
            throw new UserException(ExitCode.Usage, string.Join('\n', refused.Select(change => $"a fork cannot change {change.Path}: {change.Why}")));
    }

    /// <summary>Groups are batched in the order in which they finish, so the last prompt need not be of the last batch.</summary>
    private static long FirstPrompt(RunSettings parent, int step)
    {
        var trained = RunJournal.Events(parent).OfType<BatchFormed>().Where(batch => batch.Step <= step).SelectMany(batch => batch.Groups);
        return parent.FirstPrompt + trained.Select(group => group.Ordinal + 1).DefaultIfEmpty(0).Max();
    }
}
