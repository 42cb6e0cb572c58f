using Lateral.Core;
using Lateral.Core.Policies;
using Lateral.Core.Runs;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Learning;

/// <summary>The <c>policies/</c> folder of a run: one durable payload per version, <c>v{N}.safetensors</c> or <c>v{N}.adapter.safetensors</c>.</summary>
public sealed class PolicyPublications(string runDirectory) : IPolicyStore
{
    private const string Folder = "policies";
    private const string Full = ".safetensors", Adapter = ".adapter.safetensors", Working = ".working.safetensors";

    private bool _laid;

    /// <summary>Writes the version's payload whole or not at all, then describes it. On the device thread.</summary>
    internal PolicyManifest Publish(TransformerModel model, int epoch, int version, string parentHash)
    {
        var kind = model.Adapter is null ? PayloadKind.Full : PayloadKind.Adapter;
        var location = $"{Folder}/v{version}{(kind == PayloadKind.Adapter ? Adapter : Full)}";
        var path = Path.Combine(runDirectory, location);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var hash = SafetensorsWriter.Write(path, model.Policy, PolicyForm.Of(model).Metadata);
        if (_laid) RemoveLaid();
        var canary = PolicyCanary.LogProb(model);
        return new(epoch, version, hash, parentHash, kind, new FileInfo(path).Length, location)
        {
            // Weights that give no number fail the sampler's first step, which says so.
            Canary = double.IsFinite(canary) ? canary : null,
        };
    }

    /// <summary>
    /// Lays weights for the learner's ranks beside the policies, in the middle of a step or before they are a policy: they can be had
    /// from the learner again, so they need not outlive a power cut. The next policy takes their place.
    /// </summary>
    /// <param name="version">that the step began with</param>
    internal PolicyManifest Lay(TransformerModel model, int version, string parentHash)
    {
        var location = $"{Folder}/v{version}{Working}";
        var path = Path.Combine(runDirectory, location);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var hash = SafetensorsWriter.Write(path, model.Policy, PolicyForm.Of(model).Metadata, sync: false);
        _laid = true;
        return new(0, version, hash, parentHash, PayloadKind.Working, new FileInfo(path).Length, location);
    }

    /// <summary>Removes what a learner that was killed while it published left behind. For the one that takes over.</summary>
    internal void Sweep()
    {
        DurableFile.Sweep(Path.Combine(runDirectory, Folder));
        RemoveLaid();
    }

    private void RemoveLaid()
    {
        _laid = false;
        var folder = Path.Combine(runDirectory, Folder);
        if (!Directory.Exists(folder)) return;
        foreach (var path in Directory.EnumerateFiles(folder, $"v*{Working}")) File.Delete(path);
    }

    public void Prune(int oldestVersion)
    {
        var folder = Path.Combine(runDirectory, Folder);
        if (!Directory.Exists(folder)) return;
        var pinned = PinnedVersions.Read(runDirectory);
        foreach (var path in Directory.EnumerateFiles(folder, $"v*{Full}").Where(path => !path.EndsWith(Working, StringComparison.Ordinal)))
        {
            if (int.TryParse(Path.GetFileName(path)[1..].Split('.')[0], out var version) && version < oldestVersion && !pinned.Contains(version)) File.Delete(path);
        }
    }
}
