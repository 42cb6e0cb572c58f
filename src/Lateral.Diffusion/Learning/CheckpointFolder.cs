using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Lateral.Core;
using Lateral.Core.Policies;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Learning;

/// <param name="Files">by name: SHA-256 and size in bytes</param>
internal sealed record CheckpointManifest(int Step, ImmutableSortedDictionary<string, CheckpointEntry> Files)
{
    /// <summary>Rises when the meaning of a file changes. A manifest without it is of the first.</summary>
    public int Protocol { get; init; } = CheckpointFolder.Protocol;
}

internal sealed record CheckpointEntry(string Sha256, long Bytes);

/// <summary>
/// One checkpoint on disk, wherever it lies: weights, optimizer, those of a value model if there is one, model configuration, state, and a manifest
/// with the size and hash of each. Nothing is read from it before every file is what the manifest says.
/// </summary>
public static class CheckpointFolder
{
    internal const string Optimizer = "optimizer.safetensors", State = "state.json", Manifest = "manifest.json";

    /// <summary>Where the run has a value model.</summary>
    internal const string CriticWeights = "critic.safetensors", CriticOptimizer = "critic-optimizer.safetensors";

    internal const int Protocol = 1;

    internal static JsonSerializerOptions Json { get; } = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static string[] Required(CheckpointManifest manifest) => [PolicyOf(manifest).Weights, PolicyOf(manifest).Config, Optimizer, State];

    /// <summary>The names of a checkpoint's policy: a model's, or an adapter's.</summary>
    private static (string Weights, string Config) PolicyOf(CheckpointManifest manifest) => PolicyForm.Names(adapter: manifest.Files.ContainsKey(LoraSettings.WeightsFile));

    /// <summary>Checks every file against the manifest.</summary>
    /// <returns>SHA-256 of the weights file</returns>
    /// <exception cref="PolicyUnavailableException">names the file that is missing, torn or other than promised</exception>
    public static string Verify(string folder)
    {
        var manifest = Open(folder);
        return manifest.Files[PolicyOf(manifest).Weights].Sha256;
    }

    /// <summary>Copies the checkpoint durably into an existing folder; the copy needs nothing of the original.</summary>
    /// <returns>SHA-256 of the weights file</returns>
    /// <exception cref="PolicyUnavailableException">names the file that is missing, torn or other than promised</exception>
    /// <exception cref="IOException">the disk is full or the folder cannot be written; what was copied is then of no use</exception>
    public static string Copy(string from, string to)
    {
        var manifest = Open(from);
        foreach (var name in Required(manifest).Concat(manifest.Files.Keys.Intersect([CriticWeights, CriticOptimizer])).Append(Manifest))
        {
            DurableFile.Copy(Path.Combine(from, name), Path.Combine(to, name));
        }

        // The original may have been replaced between the check and the copy.
        return Verify(to);
    }

    /// <summary>Checks every file, then works with them; a file that the work cannot use is told like a broken one.</summary>
    /// <param name="expected">SHA-256 that the weights were promised with; null = whatever the manifest says</param>
    /// <exception cref="PolicyUnavailableException">names the file that is missing, torn or other than promised</exception>
    internal static CheckpointManifest Open(string folder, string? expected = null, Action<CheckpointManifest>? work = null)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<CheckpointManifest>(File.ReadAllBytes(Path.Combine(folder, Manifest)), Json)
                ?? throw Broken(Manifest, "is empty");
            if (manifest.Protocol != Protocol) throw Broken(Manifest, $"speaks protocol {manifest.Protocol} and this program {Protocol}: use the version of Lateral that wrote it");
            foreach (var (name, entry) in manifest.Files)
            {
                using var stream = File.OpenRead(Path.Combine(folder, name));
                if (stream.Length != entry.Bytes) throw Broken(name, $"has {stream.Length} bytes, its manifest says {entry.Bytes}");
                if (Convert.ToHexStringLower(SHA256.HashData(stream)) is var hash && hash != entry.Sha256) throw Broken(name, $"has hash {hash}, its manifest says {entry.Sha256}");
            }

            foreach (var name in Required(manifest))
            {
                if (!manifest.Files.ContainsKey(name)) throw Broken(name, "is not in the manifest");
            }

            if (expected is not null && manifest.Files[PolicyOf(manifest).Weights].Sha256 is var weights && weights != expected) throw Broken(PolicyOf(manifest).Weights, $"has hash {weights}, the journal says {expected}");
            work?.Invoke(manifest);
            return manifest;
        }
        catch (Exception error) when (error is IOException or JsonException or SafetensorsException or ModelException or InvalidDataException)
        {
            throw new PolicyUnavailableException($"checkpoint '{folder}' cannot be loaded: {error.Message}", error);
        }

        PolicyUnavailableException Broken(string file, string what) => new($"checkpoint '{folder}' cannot be loaded: {file} {what}");
    }
}
