using Lateral.Core.Learning;
using Lateral.Core.Policies;

namespace Lateral.Simulation.Tests.Storage;

/// <summary>The run directory: published policies, checkpoints, recorded steps. It survives every crash.</summary>
internal sealed class Disk
{
    private readonly Dictionary<int, (string Weights, Checkpoint Checkpoint)> _checkpoints = [];

    /// <summary>Hash of each published policy that is not pruned, by version.</summary>
    public SortedDictionary<int, string> Policies { get; } = [];

    public List<int> Recorded { get; } = [];

    public Checkpoint Save(int step, string weights)
    {
        var checkpoint = new Checkpoint(step, $"checkpoints/step_{step}", weights);
        _checkpoints[step] = (weights, checkpoint);
        return checkpoint;
    }

    public string? Load(Checkpoint checkpoint) => _checkpoints.TryGetValue(checkpoint.Step, out var saved) && saved.Checkpoint == checkpoint ? saved.Weights : null;

    public bool Holds(PolicyManifest policy) => Policies.TryGetValue(policy.Version, out var hash) && hash == policy.Hash;

    public void Record(int step)
    {
        if (!Recorded.Contains(step)) Recorded.Add(step);
    }
}
