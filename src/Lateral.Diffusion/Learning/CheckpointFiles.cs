using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Runs;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using static Lateral.Diffusion.Learning.CheckpointFolder;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning;

/// <param name="Step">the last trained step</param>
/// <param name="PolicyHash">SHA-256 of that step's weights</param>
/// <param name="Updates">optimizer updates done</param>
/// <param name="Seed">the run's seed; with the step it determines every random number to come</param>
public sealed record CheckpointState(int Step, string PolicyHash, long Updates, ulong Seed);

/// <summary>A moment of training, copied to the CPU; owns its tensors.</summary>
/// <param name="Tensors">by file</param>
internal sealed record CheckpointCopy(PolicyForm Form, CheckpointState State, IReadOnlyDictionary<string, IReadOnlyDictionary<string, Tensor>> Tensors) : IDisposable
{
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values.SelectMany(file => file.Values)) tensor.Dispose();
    }
}

/// <summary>
/// The <c>checkpoints/</c> folder of a run. A checkpoint is complete or absent: it is written and synced under another name,
/// then renamed, and it is read only after every file has the size and hash of its manifest (I4).
/// </summary>
internal sealed class CheckpointFiles(string runDirectory, int keepLast)
{
    private const string Folder = "checkpoints";

    /// <summary>Steps this process has loaded or written, the newest two: what a recovery goes back to, whatever else lies there.</summary>
    private readonly Queue<int> _sound = new();

    public Checkpoint Write(CheckpointCopy copy)
    {
        var (state, form) = (copy.State, copy.Form);
        var root = Path.Combine(runDirectory, Folder);
        Directory.CreateDirectory(root);
        var temporary = Path.Combine(root, $".step_{state.Step}.{Guid.NewGuid():N}.tmp");
        Directory.CreateDirectory(temporary);
        try
        {
            var hash = SafetensorsWriter.Write(Path.Combine(temporary, form.Weights), copy.Tensors[form.Weights], form.Metadata);
            var files = ImmutableSortedDictionary.CreateBuilder<string, CheckpointEntry>(StringComparer.Ordinal);
            files.Add(form.Weights, Entry(temporary, form.Weights, hash));
            Failpoint.Reach("mid-save");
            foreach (var (name, tensors) in copy.Tensors.Where(file => file.Key != form.Weights))
                files.Add(name, Entry(temporary, name, SafetensorsWriter.Write(Path.Combine(temporary, name), tensors)));
            files.Add(form.Config, WriteText(temporary, form.Config, System.Text.Encoding.UTF8.GetBytes(form.Text)));
            files.Add(State, WriteText(temporary, State, JsonSerializer.SerializeToUtf8Bytes(state, Json)));
            WriteText(temporary, Manifest, JsonSerializer.SerializeToUtf8Bytes(new CheckpointManifest(state.Step, files.ToImmutable()), Json));
            var checkpoint = new Checkpoint(state.Step, $"{Folder}/step_{state.Step}", hash);
            Install(temporary, Path.Combine(runDirectory, checkpoint.Location));
            Trust(state.Step);
            Prune(root);
            return checkpoint;
        }
        catch
        {
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
            throw;
        }
    }

    /// <summary>Removes what a learner that was killed in the middle of a save left behind. For the one that takes over.</summary>
    public void Sweep() => DurableFile.Sweep(Path.Combine(runDirectory, Folder));

    /// <summary>Checks every file, then hands the folder to <paramref name="load"/>.</summary>
    /// <exception cref="PolicyUnavailableException">names the file that is missing, torn or other than promised</exception>
    public void Read(Checkpoint checkpoint, Action<string, CheckpointManifest, CheckpointState> load)
    {
        var folder = Path.Combine(runDirectory, checkpoint.Location);
        CheckpointFolder.Open(folder, checkpoint.Hash, manifest => load(
            folder, manifest,
            JsonSerializer.Deserialize<CheckpointState>(File.ReadAllBytes(Path.Combine(folder, State)), Json) ?? throw new InvalidDataException($"{State} is empty")));
        Trust(checkpoint.Step);
    }

    /// <summary>The same for version 0, which stays as long as the run does.</summary>
    /// <exception cref="PolicyUnavailableException">it is missing or damaged</exception>
    public void ReadBase(Action<string> load)
    {
        var folder = Path.Combine(runDirectory, Folder, "step_0");
        CheckpointFolder.Open(folder, work: _ => load(folder));
    }

    public static void LoadOptimizer(string folder, Objectives.AdamW optimizer)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, Optimizer));
        optimizer.Restore(file);
    }

    public static void LoadWeights(string folder, TransformerModel model)
    {
        var path = Path.Combine(folder, PolicyForm.Names(adapter: model.Adapter is not null).Weights);
        using var file = SafetensorsFile.Open(path);
        ModelStore.CopyInto(model, file, path);
    }

    private static CheckpointEntry Entry(string folder, string name, string hash) => new(hash, new FileInfo(Path.Combine(folder, name)).Length);

    private static CheckpointEntry WriteText(string folder, string name, byte[] bytes)
    {
        DurableFile.Write(Path.Combine(folder, name), stream => stream.Write(bytes), bytes.Length);
        return new(Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length);
    }

    /// <summary>A step that is trained again after a crash replaces its checkpoint; at no moment is a torn one under its name.</summary>
    private static void Install(string temporary, string target)
    {
        var root = Path.GetDirectoryName(target)!;
        var replaced = Path.Combine(root, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.old");
        if (Directory.Exists(target)) Directory.Move(target, replaced);
        Directory.Move(temporary, target);
        DurableFile.SyncDirectory(root);
        if (Directory.Exists(replaced)) Directory.Delete(replaced, recursive: true);
    }

    private void Trust(int step)
    {
        lock (_sound)
        {
            if (!_sound.Contains(step)) _sound.Enqueue(step);
            while (_sound.Count > 2) _sound.Dequeue();
        }
    }

    private bool IsSound(int step)
    {
        lock (_sound) return _sound.Contains(step);
    }

    /// <summary>
    /// Keeps the newest ones and step 0. The one before the newest stays in any case: until the newest is journaled, and where it
    /// turns out damaged, it is the one a recovery needs. A damaged one counts for nothing, though it may be newer. What a restored
    /// journal would go on from stays, too.
    /// </summary>
    private void Prune(string root)
    {
        var pinned = PinnedVersions.Read(runDirectory);
        var steps = Directory.EnumerateDirectories(root, "step_*")
            .Select(path => (Path: path, Step: int.TryParse(Path.GetFileName(path)["step_".Length..], out var step) ? step : 0))
            .Where(checkpoint => checkpoint.Step > 0)
            .OrderByDescending(checkpoint => checkpoint.Step)
            .Skip(Math.Max(2, keepLast))
            .Where(checkpoint => !IsSound(checkpoint.Step) && !pinned.Contains(checkpoint.Step));
        foreach (var (path, _) in steps) Directory.Delete(path, recursive: true);
    }
}
