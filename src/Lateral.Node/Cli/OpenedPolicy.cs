using System.CommandLine;
using Lateral.Actors.Settings;
using Lateral.Core.Policies;
using Lateral.Core.Runs;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tokens;
using Lateral.Node.Composition;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary>A policy that is ready to be sampled: a run's at one step, or a model directory's.</summary>
/// <param name="Directory">what the policy's location is relative to</param>
internal sealed record OpenedPolicy(RunSettings Settings, RunDirectory Directory, TaskComposition Task, PolicyManifest Policy)
{
    public static Argument<string> Argument() => new("NAME|MODEL") { Description = "a run (quickstart), one of its saved steps (quickstart@120), or a model directory (./exported)" };

    public static Option<string[]> Config() => new("--config") { Description = "configuration files for a model directory that export did not write", HelpName = "CONF" };

    /// <param name="configs">for a model directory: instead of the configuration it carries</param>
    /// <exception cref="UserException">no such run, checkpoint or model, or it does not fit its configuration</exception>
    public static OpenedPolicy Of(RunCatalog catalog, string text, string[] configs)
    {
        if (IsFolder(catalog, text)) return OfFolder(text, configs);
        var (name, step) = RunReference.Parse(text);
        var directory = catalog.Find(name);
        if (configs.Length > 0) throw new UserException(ExitCode.Usage, $"--config is for model directories; run '{name}' has its own configuration");
        var settings = catalog.Load(directory, []).Settings;
        var (task, policy) = (TaskComposition.Of(settings), SavedPolicy.Find(directory, step));
        return new OpenedPolicy(settings, directory, task, policy);
    }

    /// <summary>A directory as published: it brings its tokenizer, and nothing of a task.</summary>
    public static bool IsPublished(string text, string[] configs) =>
        configs.Length == 0 && ModelFolder.Is(text) && File.Exists(Path.Combine(text, TokenizerJson.File)) && !File.Exists(Path.Combine(text, ModelExport.ConfigFile));

    /// <summary>Last, because everything else that can be wrong is found faster.</summary>
    public void RequireTorch() => RunComposition.RequireTorch(Settings, Settings.Topology.SamplerDevices[0]);

    /// <summary>What looks like a path is one; a bare name is a run before it is a folder.</summary>
    private static bool IsFolder(RunCatalog catalog, string text) =>
        text.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal) || text.Contains('/', StringComparison.Ordinal) || text is "." or ".."
        || (ModelFolder.Is(text) && !catalog.All().Any(run => run.Name == text));

    private static OpenedPolicy OfFolder(string path, string[] configs)
    {
        var full = Path.GetFullPath(path);
        ModelFolder.RequireFiles(full, "MODEL");
        string[] files = configs.Length > 0 ? configs : [Path.Combine(full, ModelExport.ConfigFile)];
        if (configs.Length == 0 && !File.Exists(files[0]))
            throw new UserException(ExitCode.Usage, $"{path} has no {ModelExport.ConfigFile}: export did not write it - say with --config CONF what its task is and how to sample; a published model needs its {TokenizerJson.File} there, and eval a --suite");
        // The model is the folder's, whatever the configuration was made for.
        var settings = RunSettingsLoader.Load(files, [RunSettingsLoader.Set("model.path", full), "run.forked-from = null"], null, ShippedPlugins.All).Settings;
        var task = TaskComposition.Of(settings);
        ModelFolder.Require(full, task.Tokenizer, "MODEL");
        var weights = Path.Combine(full, ModelStore.WeightsFile);
        var origin = ModelExport.Origin(full);
        var policy = new PolicyManifest(0, origin?.Step ?? 0, origin?.Sha256 ?? ModelExport.HashOf(weights), "", PayloadKind.Full, new FileInfo(weights).Length, ModelStore.WeightsFile);
        return new OpenedPolicy(settings, new RunDirectory(full), task, policy);
    }
}
