using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core;
using Lateral.Core.Policies;
using Lateral.Core.Runs;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tokens;
using Lateral.Node.Runs;

namespace Lateral.Node.Composition;

/// <summary>What an export is: a whole model, or the files of an adapter for whoever has the model that it adds to.</summary>
internal enum ExportFormat
{
    Hf,
    Peft,
}

/// <summary>Where an exported model comes from: <c>lateral.json</c>.</summary>
/// <param name="Sha256">of the weights file</param>
internal sealed record ModelOrigin(string Run, int Step, string Task, string? ForkedFrom, string Sha256, ImmutableSortedDictionary<string, double> Evaluation);

/// <summary>
/// A saved policy as a directory of its own, in the layout of released models or of PEFT's adapters, with the vocabulary or the tokenizer's files, and what it takes to evaluate it as it was trained.
/// </summary>
internal static class ModelExport
{
    public const string ConfigFile = "lateral.conf", OriginFile = "lateral.json", VocabularyFile = "vocabulary.json";

    /// <summary>What a completion is, when it is right, and how it was learned; the machine and its folders stay behind.</summary>
    private static readonly string[] Sections = ["task", "tasks", "data", "rollout", "reward", "eval", "deterministic", "algorithm", "learner"];

    public static JsonSerializerOptions Json { get; } = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Writes the directory whole or not at all.</summary>
    /// <exception cref="UserException">something lies there already, or it cannot be written</exception>
    /// <exception cref="PolicyUnavailableException">the checkpoint is damaged</exception>
    public static ModelOrigin Write(RunDirectory run, LoadedSettings loaded, PolicyManifest policy, string target, ExportFormat format = ExportFormat.Hf)
    {
        var (settings, folder) = (loaded.Settings, Path.GetFullPath(target));
        RequireFree(folder);
        if (format == ExportFormat.Peft && settings.Model.Adapter is null)
            throw new UserException(ExitCode.Usage, $"--format peft: run '{settings.Name}' has trained all weights and no adapter - write --format hf");
        var task = TaskComposition.Of(settings);
        var checkpoint = Path.GetDirectoryName(run.Resolve(policy.Location))!;
        var origin = new ModelOrigin(settings.Name, policy.Version, settings.Task.Name, settings.ForkedFrom, CheckpointFolder.Verify(checkpoint), Evaluation(run, policy.Version));
        EnvironmentProblem.Explain($"{folder} cannot be written", () =>
        {
            var parent = Directory.CreateDirectory(Path.GetDirectoryName(folder)!).FullName;
            var temporary = Path.Combine(parent, $".{Path.GetFileName(folder)}.{Guid.NewGuid():N}.tmp");
            Directory.CreateDirectory(temporary);
            try
            {
                origin = origin with { Sha256 = Weights(settings, task, checkpoint, temporary, format, origin.Sha256) };
                if (task.Tokenizer is CharTokenizer) DurableFile.WriteText(Path.Combine(temporary, VocabularyFile), Vocabulary(task));
                else if (!RunTokenizer.IsModels(settings.Model)) DurableFile.WriteText(Path.Combine(temporary, TokenizerJson.File), ByteVocabulary.Json());
                DurableFile.WriteText(Path.Combine(temporary, ConfigFile), "# What eval and sample need of the run's configuration; secrets are left out.\n" + CanonicalJson.Write(Configuration(loaded.Resolved), indented: true) + "\n");
                DurableFile.WriteText(Path.Combine(temporary, OriginFile), JsonSerializer.Serialize(origin, Json) + "\n");
                DurableFile.WriteText(Path.Combine(temporary, "README.md"), ExportReadme.Of(origin, settings, format));
                if (Directory.Exists(folder)) Directory.Delete(folder);
                Directory.Move(temporary, folder);
                DurableFile.SyncDirectory(parent);
            }
            catch
            {
                if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
                throw;
            }
        });
        return origin;
    }

    /// <summary>What an export's <c>lateral.json</c> says; null where the folder has none.</summary>
    /// <exception cref="UserException">the file is not one, or the weights are not those that were exported</exception>
    public static ModelOrigin? Origin(string folder)
    {
        var path = Path.Combine(folder, OriginFile);
        if (!File.Exists(path)) return null;
        try
        {
            var origin = JsonSerializer.Deserialize<ModelOrigin>(File.ReadAllText(path), Json) ?? throw new JsonException("the file is empty");
            RequireHash(Path.Combine(folder, ModelStore.WeightsFile), origin.Sha256);
            return origin;
        }
        catch (JsonException mistake)
        {
            throw new UserException(ExitCode.Usage, $"{path} is not what export writes: {mistake.Message}; export again", mistake);
        }
    }

    public static string HashOf(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <returns>SHA-256 of the weights file</returns>
    private static string Weights(RunSettings settings, TaskComposition task, string checkpoint, string target, ExportFormat format, string sha256)
    {
        var (weights, config) = PolicyForm.Names(adapter: settings.Model.Adapter is not null);
        if (format == ExportFormat.Hf && settings.Model is { Adapter: not null, Path: { } path })
        {
            RunComposition.RequireTorch(settings, "cpu");
            sha256 = ModelFolder.Explain("model.path", () => RunComposition.Network(settings, task).WriteMerged(Path.Combine(checkpoint, weights), target));
            PublishedFiles.CopyAll(path, target, withConfig: true);
            return sha256;
        }

        foreach (var name in new[] { weights, config }) DurableFile.Copy(Path.Combine(checkpoint, name), Path.Combine(target, name));
        RequireHash(Path.Combine(target, weights), sha256);
        if (settings.Model.Path is { } origin) PublishedFiles.CopyAll(origin, target, withConfig: false);
        return sha256;
    }

    private static void RequireFree(string folder)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new UserException(ExitCode.Usage, $"--to {folder}: something lies there already, and an export overwrites nothing; name a new directory");
    }

    private static void RequireHash(string path, string sha256)
    {
        if (HashOf(path) is var found && found != sha256)
            throw new UserException(ExitCode.Environment, $"{path} has SHA-256 {found} and should have {sha256}: the file was changed or is torn; export again");
    }

    private static ConfigObject Configuration(ConfigObject resolved)
    {
        var fields = new OrderedDictionary<string, ConfigValue>(Sections.Where(section => resolved.Fields.ContainsKey(section)).Select(section => KeyValuePair.Create(section, resolved.Fields[section])), StringComparer.Ordinal)
        {
            ["run"] = Object(resolved, [("name", resolved.Find("run", "name")!), ("seed", resolved.Find("run", "seed")!)]),
            // The shape of a forward, on which the last bits of a probability depend.
            ["topology"] = Object(resolved, [("roles", Object(resolved, [("sampler", Object(resolved, [("slots", resolved.Find("topology", "roles", "sampler", "slots")!)]))]))]),
        };
        return Secrets.Redact(new ConfigObject(resolved.Origin, fields));
    }

    private static ConfigObject Object(ConfigObject at, IEnumerable<(string Key, ConfigValue Value)> fields) =>
        new(at.Origin, new OrderedDictionary<string, ConfigValue>(fields.Select(field => KeyValuePair.Create(field.Key, field.Value)), StringComparer.Ordinal));

    private static string Vocabulary(TaskComposition task)
    {
        var tokenizer = task.Tokenizer;
        return JsonSerializer.Serialize(
            new { Kind = "characters", Tokens = Enumerable.Range(0, tokenizer.VocabularySize).Select(id => id == tokenizer.MaskId ? "[MASK]" : id == tokenizer.EndId ? "[END]" : tokenizer.Decode([id])), MaskTokenId = tokenizer.MaskId, EosTokenId = tokenizer.EndId },
            Json) + "\n";
    }

    private static ImmutableSortedDictionary<string, double> Evaluation(RunDirectory run, int step) =>
        RunRecorder.ReadEvaluations(run).LastOrDefault(point => point.Step == step)?.Metrics ?? ImmutableSortedDictionary<string, double>.Empty;
}
