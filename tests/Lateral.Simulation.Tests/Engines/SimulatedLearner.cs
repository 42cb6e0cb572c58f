using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;
using Lateral.Simulation.Tests.Checks;
using Lateral.Simulation.Tests.Network;

namespace Lateral.Simulation.Tests.Engines;

/// <summary>"Weights" are a hash chained over the content of everything that was trained, in order: two runs that trained anything else differ.</summary>
internal sealed class SimulatedLearner(Process process, World world) : ILearner
{
    private bool _disposed;
    private string _weights = "";
    private int _step = -1;

    public static string Base { get; } = Hash("base");

    /// <summary>The step as pure arithmetic, which the offline replay uses too.</summary>
    public static string Train(string weights, IEnumerable<ScoredGroup> groups) => Hash(weights + string.Concat(groups.Select(ContentHash.Of)));

    public Task<(PolicyManifest Policy, Checkpoint Checkpoint)> PrepareBaseAsync(IProgress<WarmupProgress> progress, CancellationToken cancellation) => Work(() =>
    {
        (_weights, _step) = (Base, 0);
        return (Publish(epoch: 0, parent: ""), world.Disk.Save(0, _weights));
    });

    public Task LoadAsync(Checkpoint checkpoint, CancellationToken cancellation) => Work(() =>
    {
        var weights = world.Disk.Load(checkpoint);
        world.Verdicts.Require(weights is not null, "I9 Retention", $"{checkpoint} is to be restored and is not on disk");
        (_weights, _step) = (weights!, checkpoint.Step);
        return 0;
    });

    public Task<StepReport> TrainAsync(LearnerBatch batch, CancellationToken cancellation) => Work(() =>
    {
        if (batch.Step != _step + 1) throw new InvalidOperationException($"step {batch.Step} after {_step}");
        RewardCheck.Of(world, batch);
        var parent = _weights;
        (_weights, _step) = (Train(parent, batch.Groups), batch.Step);
        return new StepReport(batch.Step, Publish(batch.Epoch, parent), false, ImmutableSortedDictionary<string, double>.Empty);
    });

    public Task<Checkpoint> CheckpointAsync(CancellationToken cancellation)
    {
        var (weights, step) = (_weights, _step);
        return Work(() => world.Disk.Save(step, weights));
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return ValueTask.CompletedTask;
    }

    private Task<T> Work<T>(Func<T> work)
    {
        var time = world.Stage.Dice.Between(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(world.Fails(.05) ? 20_000 : 500));
        return world.Later(process, () => !_disposed, time, () => world.Fails(world.Scenario.EngineFailures) ? throw new InvalidOperationException("out of memory") : work());
    }

    private PolicyManifest Publish(int epoch, string parent)
    {
        world.Disk.Policies[_step] = _weights;
        return new PolicyManifest(epoch, _step, _weights, parent, PayloadKind.Full, 1, $"policies/v{_step}");
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
