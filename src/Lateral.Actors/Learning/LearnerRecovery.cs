using Akka.Actor;
using Lateral.Actors.Runs;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Learning;

/// <summary>
/// Brings a new learner to where the ledger is: the newest checkpoint that can be loaded, then every step the journal has after
/// it, from the same trajectories and with the decisions that were made then.
/// </summary>
/// <remarks>I5 replay: a step is a function of its batch, the state before it and its journaled decisions, and its hash is compared.</remarks>
internal sealed class LearnerRecovery(RunSettings settings, RunEngines engines, ILearner learner, BatchFetcher batches, ReplayFetcher steps, IActorRef run, LearnerVoice voice)
{
    public async Task<Restored> RestoreAsync(RunProtocol.LearnerAssignment assignment, CancellationToken cancellation)
    {
        var checkpoint = await LoadAsync(assignment, cancellation);
        await engines.Recorder.RecordBaseAsync(assignment.Base!, cancellation);
        for (var version = checkpoint.Step; version < assignment.Version; version++)
        {
            await ReplayAsync(assignment.Epoch, version + 1, cancellation);
            voice.Progress(version + 1 - checkpoint.Step, assignment.Version - checkpoint.Step);
        }

        return new Restored(assignment.Version, assignment.Samplers);
    }

    /// <exception cref="PolicyUnavailableException">neither checkpoint can be loaded; says what is wrong with the one that is left</exception>
    private async Task<Checkpoint> LoadAsync(RunProtocol.LearnerAssignment assignment, CancellationToken cancellation)
    {
        try
        {
            await learner.LoadAsync(assignment.Checkpoint!, cancellation);
            return assignment.Checkpoint!;
        }
        catch (PolicyUnavailableException unusable) when (assignment.Earlier is { } earlier)
        {
            voice.Enter(Phase.Restoring, $"step {earlier.Step}, because {unusable.Message}");
            await learner.LoadAsync(earlier, cancellation);
            // Only now: the ledger forgets no checkpoint unless there is another.
            run.Tell(new RunProtocol.CheckpointUnreadable(assignment.Epoch, new CheckpointLost(assignment.Checkpoint!, $"{unusable.Message}; going on from step {earlier.Step}")));
            return earlier;
        }
    }

    private async Task ReplayAsync(int epoch, int step, CancellationToken cancellation)
    {
        var found = await steps.FetchAsync(epoch, step, cancellation);
        var (formed, trained) = found;
        var batch = await batches.FetchAsync(epoch, formed, settings.Rollout.GroupsPerStep, cancellation);
        var replayed = await learner.TrainAsync(batch with { From = found.From, Decided = trained.Report.ToObey }, cancellation);
        var (published, hash) = (trained.Report.Policy.Hash, replayed.Policy.Hash);
        if (hash != published) run.Tell(new RunProtocol.ReplayedDifferently(epoch, new ReplayDiverged(step, published, hash)));
        await engines.Recorder.RecordStepAsync(trained.Report, batch, cancellation);
    }

    public sealed record Restored(int Version, SamplerStatistics Samplers) : ILocalMessage;
}
