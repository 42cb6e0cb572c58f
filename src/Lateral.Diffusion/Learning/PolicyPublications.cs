using Lateral.Core.Policies;
using Lateral.Core.Runs;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Learning;

/// <summary>The <c>policies/</c> folder of a run: one durable payload per version, <c>v{N}.safetensors</c>.</summary>
public sealed class PolicyPublications(string runDirectory) : IPolicyStore
{
    private const string Folder = "policies";

    /// <summary>Writes the version's payload whole or not at all, then describes it. On the device thread.</summary>
    internal PolicyManifest Publish(LladaModel model, int epoch, int version, string parentHash)
    {
        var location = $"{Folder}/v{version}.safetensors";
        var path = Path.Combine(runDirectory, location);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var hash = SafetensorsWriter.Write(path, model.Parameters, CheckpointFiles.WeightsMetadata);
        return new(epoch, version, hash, parentHash, PayloadKind.Full, new FileInfo(path).Length, location);
    }

    public void Prune(int oldestVersion)
    {
        var folder = Path.Combine(runDirectory, Folder);
        if (!Directory.Exists(folder)) return;
        foreach (var path in Directory.EnumerateFiles(folder, "v*.safetensors"))
        {
            if (int.TryParse(Path.GetFileNameWithoutExtension(path)[1..], out var version) && version < oldestVersion) File.Delete(path);
        }
    }
}
