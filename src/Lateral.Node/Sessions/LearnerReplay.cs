using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Lateral.Actors;
using Lateral.Core.Learning;
using Lateral.Core.Runs;
using Lateral.Diffusion.Learning;
using Lateral.Node.Composition;
using Lateral.Node.Runs;

namespace Lateral.Node.Sessions;

/// <summary>One step trained again beside what the journal has of it.</summary>
internal sealed record ReplayedStep(StepReport Journaled, StepReport Replayed)
{
    /// <summary>The same weights to the bit.</summary>
    public bool Same => Journaled.Policy.Hash == Replayed.Policy.Hash;
}

/// <summary>
/// A run's learner, run again from its base over the batches of the journal: nothing is sampled, nothing is scored, and the run
/// directory is only read. With the run's own settings it obeys what the journal decided (skipped steps, micro-batches, roll backs)
/// and proves that the weights follow from it; with others it answers what they would have made of the same rollouts, and then
/// every step decides for itself and nothing is rolled back, because the gradients that led to it are not these.
/// </summary>
/// <param name="recorded">the run's settings</param>
/// <param name="settings">what to train with: the same object, or those of a what-if</param>
/// <param name="scratch">takes the versions that come out of it; the last is kept</param>
internal sealed class LearnerReplay(RunSettings recorded, RunSettings settings, RunDirectory run, RunDirectory scratch)
{
    private readonly ImmutableArray<IRunEvent> _events = RunJournal.Events(recorded);
    private readonly bool _obeys = ReferenceEquals(recorded, settings);

    /// <summary>Last step that the journal has.</summary>
    public int Steps => _events.OfType<StepTrained>().LastOrDefault()?.Step ?? 0;

    /// <param name="until">last step to train</param>
    /// <exception cref="UserException">a group is not in the journal any more as it was trained</exception>
    /// <exception cref="Core.Policies.PolicyUnavailableException">the base's checkpoint is gone or damaged</exception>
    public async IAsyncEnumerable<ReplayedStep> RunAsync(int until, TaskComposition task, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var trained = _events.OfType<StepTrained>().ToDictionary(step => step.Step);
        var rolledBack = _events.OfType<RolledBack>().Where(rolled => _obeys && rolled.Step <= until).ToDictionary(rolled => rolled.Step, rolled => rolled.To.Step);
        var @base = _events.OfType<BaseReady>().First().Checkpoint;
        @base = @base with { Location = run.Resolve(@base.Location) };
        // The run has pruned its own checkpoints long ago: those that are gone back to are made again and kept.
        var made = new Dictionary<int, Checkpoint> { [@base.Step] = @base };
        await using var learner = RunComposition.Learner(settings with { Checkpoint = settings.Checkpoint with { KeepLast = Math.Max(1, rolledBack.Count) } }, scratch, task, SharedGradients.Alone());
        await learner.LoadAsync(@base, cancellation);
        foreach (var batch in _events.OfType<BatchFormed>().Where(batch => batch.Step <= until && trained.ContainsKey(batch.Step)))
        {
            var step = trained[batch.Step];
            var groups = batch.Groups.Select(Fetch).ToImmutableArray();
            var report = await learner.TrainAsync(
                new LearnerBatch(step.Epoch, batch.Step, recorded.Rollout.GroupsPerStep, groups)
                {
                    From = rolledBack.TryGetValue(batch.Step, out var to) ? made[to] : null,
                    Decided = _obeys ? step.Report.ToObey : null,
                },
                cancellation);
            if (rolledBack.ContainsValue(batch.Step)) made[batch.Step] = await learner.CheckpointAsync(cancellation);
            new PolicyPublications(scratch.Root).Prune(batch.Step);
            yield return new ReplayedStep(step.Report, report);
        }
    }

    private Core.Rewards.ScoredGroup Fetch(BatchGroup promised)
    {
        var group = RunJournal.Group(recorded, promised.Ordinal);
        if (!group.IsComplete || ContentHash.Of(group.ToScored()) != promised.Hash)
            throw new UserException(ExitCode.Violated, $"group {promised.Ordinal} is not in the journal as it was trained: {Commands.Verify(recorded)} says more");
        // Other weights of the reward pools are another reward of the same rollouts.
        return (group with { Pools = settings.Pools }).ToScored();
    }
}
