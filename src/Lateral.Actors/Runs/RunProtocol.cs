using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Runs;

/// <summary>Conversations with the run's ledger.</summary>
public static class RunProtocol
{
    /// <summary>A learner offers itself and repeats this until it is assigned.</summary>
    public sealed record LearnerHello(string Owner) : IRemoteMessage;

    /// <summary>The learner's epoch and what it must restore: nothing (no base yet), or a checkpoint and the steps after it.</summary>
    /// <param name="Version">the last trained step; those after the checkpoint are asked for one by one, so that no message grows with a run</param>
    /// <param name="Samplers">what the samplers have done so far, which is no step's of this learner</param>
    public sealed record LearnerAssignment(
        int Epoch, BaseReady? Base, Checkpoint? Checkpoint, int Version, SamplerStatistics Samplers) : IRemoteMessage
    {
        /// <summary>Where <see cref="Checkpoint"/> cannot be loaded; null = there is no other.</summary>
        public Checkpoint? Earlier { get; init; }
    }

    /// <summary>Answered by <see cref="StepToReplay"/>, or by <see cref="LearnerFenced"/>.</summary>
    public sealed record GetStepToReplay(int Epoch, int Step) : IRemoteMessage;

    /// <summary>A step after the last checkpoint: its batch, and what came of it.</summary>
    public sealed record StepToReplay(ReplayStep Step) : IRemoteMessage;

    public sealed record BaseCompleted(int Epoch, BaseReady Ready) : IRemoteMessage;

    public sealed record BaseAccepted(SamplerStatistics Samplers) : IRemoteMessage;

    /// <summary>The learner can take the batch after <paramref name="Version"/>; repeated while it waits.</summary>
    public sealed record LearnerIdle(int Epoch, int Version) : IRemoteMessage;

    public sealed record TrainBatch(int Epoch, BatchFormed Batch, int PlannedGroups, SamplerStatistics Samplers) : IRemoteMessage
    {
        /// <summary>A roll back: the checkpoint that the step begins with.</summary>
        public Checkpoint? From { get; init; }
    }

    /// <summary>The step's policy is durable; repeated until accepted.</summary>
    public sealed record StepCompleted(int Epoch, StepReport Report) : IRemoteMessage;

    public sealed record StepAccepted(int Step) : IRemoteMessage;

    /// <summary>The learner does not train a batch before a person has seen why; repeated.</summary>
    public sealed record BatchRefused(int Epoch, int Step, string Reason) : IRemoteMessage;

    public sealed record CheckpointCompleted(int Epoch, Checkpoint Checkpoint) : IRemoteMessage;

    public sealed record ReplayedDifferently(int Epoch, ReplayDiverged Divergence) : IRemoteMessage;

    /// <summary>An assigned checkpoint cannot be loaded; the learner goes on with the earlier one.</summary>
    public sealed record CheckpointUnreadable(int Epoch, CheckpointLost Lost) : IRemoteMessage;

    /// <summary>The sender's epoch is over: another learner has the run.</summary>
    public sealed record LearnerFenced(int Epoch) : IRemoteMessage;

    /// <summary>What a group entity came to; repeated until the group is retired.</summary>
    public sealed record GroupFinished(IRunEvent Outcome) : IRemoteMessage;

    /// <summary>What a sampler has done since its engine started; repeated.</summary>
    public sealed record SamplerReport(string Sampler, SamplerStatistics Statistics) : IRemoteMessage;

    /// <summary>To the monitor: a part failed and is being restarted.</summary>
    public sealed record PartFailed(string Part, RunFailure Failure) : IRemoteMessage
    {
        public static PartFailed Of(string part, Exception failure)
        {
            var cause = failure.GetBaseException();
            return new PartFailed(part, new RunFailure(cause.Message, cause is IOException or UnauthorizedAccessException));
        }
    }

    /// <summary>To the monitor: a part failed so often that it is not started again.</summary>
    public sealed record PartGivenUp(string Part, int Failures, double Minutes) : IRemoteMessage;

    /// <summary>A reward pool on one node; repeated.</summary>
    /// <param name="Trouble">why its infrastructure is taken to fail; null = it answers</param>
    public sealed record PoolReport(string Pool, string Node, string? Trouble) : IRemoteMessage
    {
        /// <summary>Whether it has valued anything since it was started.</summary>
        public bool HasAnswered { get; init; }
    }

    /// <summary>To the monitor: something a user should be told once.</summary>
    public sealed record Notice(string Text) : IRemoteMessage;

    /// <summary>To the monitor; answered by <see cref="RunStatus"/>.</summary>
    public sealed record GetRunStatus : IRemoteMessage;

    /// <summary>A person started the run again: whatever it was paused for has been seen. Answered by <see cref="Resumed"/>.</summary>
    public sealed record Resume : IRemoteMessage;

    public sealed record Resumed : IRemoteMessage;

    /// <summary>Stop issuing and forming batches; answered by <see cref="Drained"/> once the running step is committed.</summary>
    public sealed record Drain : IRemoteMessage;

    public sealed record Drained(int Version) : IRemoteMessage;

    /// <summary>Writes a checkpoint of the current version before the learner stops.</summary>
    public sealed record CheckpointNow : IRemoteMessage;
}
