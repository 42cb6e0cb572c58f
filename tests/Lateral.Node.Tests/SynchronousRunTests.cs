using System.Collections.Immutable;
using Lateral.Actors;
using Lateral.Core.Learning;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Runs;

namespace Lateral.Node.Tests;

/// <summary>
/// A staleness of 0 is synchronous training: the run over actors gives, bit for bit, what the textbook loop gives that samples a
/// batch, scores it and trains on it, one after the other and one rollout at a time.
/// </summary>
[Collection(TrainedRunTests.Name)]
public sealed class SynchronousRunTests(TrainedRun trained) : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _folder = trained.Copy();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_with_staleness_0_must_equal_the_synchronous_loop_bit_for_bit()
    {
        var catalog = new RunCatalog(Path.Combine(_folder.Path, "runs"));
        var run = catalog.Load(catalog.Find(TrainedRun.Name), []).Settings;
        Assert.Equal((0, true), (run.MaxStaleness, run.Deterministic));
        var journaled = RunJournal.Events(run).OfType<StepTrained>().Select(step => step.Report.Policy.Hash).ToList();
        Assert.Equal(4, journaled.Distinct().Count());
        Assert.Equal(journaled, await TrainAsync(run));
    }

    private async Task<List<string>> TrainAsync(RunSettings run)
    {
        var directory = new RunDirectory(Directory.CreateDirectory(Path.Combine(_folder.Path, "synchronous")).FullName);
        // One canvas at a time: no rollout shares a forward with another.
        var settings = run with { Directory = directory.Root, Topology = run.Topology with { Slots = 1 } };
        var task = TaskComposition.Of(settings);
        await using var composition = RunComposition.Of(settings, directory, task, new RunDisplay(settings, task.Tokenizer, new LineOutput(TextWriter.Null)), NodeRoles.All, SharedGradients.Alone(), TimeProvider.System);
        await using var sampler = composition.Engines.Sampler("cpu");
        await using var learner = composition.Engines.Learner();
        using var deadline = new CancellationTokenSource(Deadline);
        var (policy, _) = await learner.PrepareBaseAsync(new Progress<WarmupProgress>(), deadline.Token);
        var hashes = new List<string>();
        for (var step = 1; step <= settings.Steps; step++)
        {
            await sampler.SwapAsync(policy, directory.Resolve(policy.Location));
            var groups = new List<ScoredGroup>();
            for (var i = 0; i < settings.Rollout.GroupsPerStep; i++)
                groups.Add(await SampleAndScoreAsync(settings, task, sampler, ordinal: hashes.Count * settings.Rollout.GroupsPerStep + i, deadline.Token));
            var report = await learner.TrainAsync(new LearnerBatch(1, step, settings.Rollout.GroupsPerStep, [.. groups]), deadline.Token);
            policy = report.Policy;
            hashes.Add(policy.Hash);
        }

        return hashes;
    }

    private static async Task<ScoredGroup> SampleAndScoreAsync(RunSettings settings, TaskComposition task, ISampler sampler, long ordinal, CancellationToken cancellation)
    {
        var prompt = task.Prompts.Train(ordinal);
        sampler.Submit(new SampleTask(ordinal, [.. Enumerable.Range(0, settings.Rollout.GroupSize)], prompt, settings.Rollout.Spec, Evaluation: false));
        var group = RolloutGroup.Of(ordinal, settings);
        while (group.Trajectories.Count < settings.Rollout.GroupSize)
            foreach (var recorded in group.Record([.. await sampler.NextFinishedAsync(cancellation)])) group = group.Apply(recorded);
        foreach (var pool in settings.Pools)
        {
            var outcomes = ImmutableArray.CreateBuilder<(int, RewardOutcome)>();
            foreach (var trajectory in group.Trajectories.Values)
                outcomes.Add((trajectory.Id.Sibling, await task.Rewards[pool.Name].ScoreAsync(new RewardRequest(trajectory.Id, prompt, trajectory.Text), cancellation)));
            foreach (var recorded in group.Record(pool.Name, outcomes.ToImmutable())) group = group.Apply(recorded);
        }

        return group.ToScored();
    }
}
