using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Learning.Values;

namespace Lateral.Diffusion.Learning;

/// <summary>The value model of a checkpoint whose files were checked.</summary>
internal sealed class SavedCritic
{
    private readonly string _folder;

    private SavedCritic(string folder) => _folder = folder;

    /// <returns>null = a learner without a value model wrote the checkpoint</returns>
    public static SavedCritic? In(string folder, CheckpointManifest manifest) => manifest.Files.ContainsKey(CheckpointFolder.CriticWeights) ? new(folder) : null;

    public void LoadInto(Critic critic)
    {
        using var weights = SafetensorsFile.Open(Path.Combine(_folder, CheckpointFolder.CriticWeights));
        using var optimizer = SafetensorsFile.Open(Path.Combine(_folder, CheckpointFolder.CriticOptimizer));
        critic.Restore(weights, optimizer);
    }
}
