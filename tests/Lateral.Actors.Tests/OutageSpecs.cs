using System.Runtime.InteropServices;
using Lateral.Core.Learning;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

/// <summary>Outages of whole parts in real runs: a reward pool that is down for a while, a device that is gone for good.</summary>
public sealed class OutageSpecs : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lateral-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Reward_outage_must_pause_the_run_cost_no_group_and_end_by_itself_with_no_fault_scored()
    {
        var (engines, down) = (new TestEngines(), false);
        var score = engines.Reward;
        engines.Reward = request => Volatile.Read(ref down) ? throw new IOException("verifier host is down") : score(request);
        var settings = TestEngines.Settings(_directory, steps: 300, groups: 8, eta: 2);
        await using var host = await RunHost.StartAsync(settings, engines.ToRunEngines());
        await UntilAsync(host, status => status.Ledger.Version >= 3);
        Volatile.Write(ref down, true);
        var paused = await UntilAsync(host, status => status.Ledger.PausedFor == "answer");
        Assert.Matches("^reward pool answer does not work: 1[1-9] of its last 50 answers were infrastructure faults: IOException: verifier host is down$", paused.Ledger.Paused!);
        await Task.Delay(TimeSpan.FromSeconds(3));
        var (later, stopped) = (await host.StatusAsync(), host.Completion.IsCompleted);
        Assert.False(stopped);
        Assert.Equal(paused.Ledger.Issued, later.Ledger.Issued);
        Assert.Contains(RunDiagnosis.Of(later, Surroundings.Inside).Chain, link => link.Part == "reward pool answer");
        Volatile.Write(ref down, false);
        await host.Completion.WaitAsync(TimeSpan.FromSeconds(120));
        var status = await host.StatusAsync();
        Assert.Contains("goes on: the reward pool answers again", status.Notices);
        Assert.Equal((2400L, 0L), (status.Ledger.Trained, status.Ledger.Filtered));
        var events = RunJournal.Events(settings);
        Assert.Single(events.OfType<RunPaused>());
        Assert.Single(events.OfType<RunResumed>());
        Assert.Empty(JournalAudit.Run(settings).Violations);
        // Scored by sibling, 0 and 1: a fault that became a number would show in the mean.
        Assert.All(engines.Batches.SelectMany(batch => batch.Groups), group => Assert.Equal([0.0, 1.0], group.Siblings.Select(sibling => sibling.Reward)));
    }

    [Fact]
    public async Task First_batch_of_equal_rewards_must_stop_the_run_with_samples_before_it_trains()
    {
        var engines = new TestEngines { Reward = _ => new RewardOutcome.Scored(.25, System.Collections.Immutable.ImmutableSortedDictionary<string, double>.Empty) };
        var settings = TestEngines.Settings(_directory) with { RefusesConstantRewards = true };
        string message;
        await using (var host = await RunHost.StartAsync(settings, engines.ToRunEngines()))
        {
            message = (await Assert.ThrowsAsync<RunFailedException>(() => host.Completion.WaitAsync(TimeSpan.FromSeconds(60)))).Message;
            Assert.Equal(0, (await host.StatusAsync()).Ledger.Version);
        }

        Assert.Matches("^the run is paused: all [0-9]+ rollouts of the first batch have the reward 0.25, of which nothing can be learned, for example \".+\": see whether reward.pools reads such answers", message);
        Assert.Empty(engines.Batches);
        // Nothing is lost: whoever wants it so trains the same batch.
        await using var again = await RunHost.StartAsync(settings with { RefusesConstantRewards = false }, engines.ToRunEngines());
        await again.Completion.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(12, (await again.StatusAsync()).Ledger.Trained);
        Assert.Empty(JournalAudit.Run(settings).Violations);
    }

    [Fact]
    public async Task Reward_that_has_never_worked_must_stop_the_run_with_a_sample_instead_of_waiting_for_it()
    {
        var engines = new TestEngines { Reward = _ => throw new IOException("no verifier host") };
        await using var host = await RunHost.StartAsync(TestEngines.Settings(_directory, steps: 40, groups: 8), engines.ToRunEngines());
        var failure = await Assert.ThrowsAsync<RunFailedException>(() => host.Completion.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Matches("^the run is paused: reward pool answer has not valued a single rollout: [0-9]+ of its last [0-9]+ answers were infrastructure faults: IOException: no verifier host; for example \".+\" -> \".+\"; then go on", failure.Message);
        var status = await host.StatusAsync();
        Assert.Equal((0L, 0), (status.Ledger.Trained, status.Ledger.Version));
    }

    [Fact]
    public async Task Device_that_fails_for_good_must_be_given_up_and_the_run_must_go_on_with_the_other()
    {
        var engines = new TestEngines();
        var started = 0;
        var settings = TestEngines.Settings(_directory, steps: 400) with { Topology = new TopologySettings(["cpu", "cuda:0"], 4, "cpu", "127.0.0.1", 0) };
        await using var host = await RunHost.StartAsync(settings, engines.ToRunEngines() with
        {
            Sampler = device => device == "cpu" ? new TestSampler(engines) : throw new InvalidOperationException($"{device} is gone ({Interlocked.Increment(ref started)})"),
        });
        var status = await UntilAsync(host, status => !status.Notices.IsEmpty);
        Assert.Equal("sampler 127.0.0.1/cuda:0 failed 5 times within 10 minutes and is given up: cuda:0 is gone (5)", Assert.Single(status.Notices));
        await host.Completion.WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Equal(5, started);
        Assert.Equal(1200, (await host.StatusAsync()).Ledger.Trained);
    }

    /// <summary>The canary differs on one device only: what it would sample never counts, and it is not tried for ever.</summary>
    [Fact]
    public async Task Device_that_computes_otherwise_must_be_given_up_without_a_rollout_and_told_about()
    {
        var (engines, broken) = (new TestEngines(), new TestEngines { SwapFault = policy => $"policy version {policy.Version} scores the canary otherwise" });
        var settings = TestEngines.Settings(_directory, steps: 400) with { Topology = new TopologySettings(["cpu", "cuda:0"], 4, "cpu", "127.0.0.1", 0) };
        await using var host = await RunHost.StartAsync(settings, engines.ToRunEngines() with { Sampler = device => new TestSampler(device == "cpu" ? engines : broken) });
        var status = await UntilAsync(host, status => !status.Notices.IsEmpty);
        Assert.Matches(@"^sampler 127.0.0.1/cuda:0 failed 5 times within 10 minutes and is given up: policy version \d+ scores the canary otherwise$", Assert.Single(status.Notices));
        Assert.Contains(Figures.CanaryDifference, status.Part("sampler 127.0.0.1/cpu")!.Figures.Keys);
        await host.Completion.WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Empty(broken.Sampled);
        Assert.Equal(1200, (await host.StatusAsync()).Ledger.Trained);
    }

    [Fact]
    public async Task Swap_that_is_refused_once_must_cost_a_restart_of_the_sampler_and_no_more()
    {
        var refusals = 0;
        var engines = new TestEngines { SwapFault = policy => policy.Version == 2 && Interlocked.Increment(ref refusals) == 1 ? "the copy went wrong" : null };
        await using var host = await RunHost.StartAsync(TestEngines.Settings(_directory), engines.ToRunEngines());
        await host.Completion.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(12, (await host.StatusAsync()).Ledger.Trained);
        Assert.True(refusals >= 1);
    }

    [Fact]
    public async Task Device_error_that_stays_must_end_the_process_resumably_and_never_be_retried()
    {
        var engines = new TestEngines();
        var started = 0;
        await using var host = await RunHost.StartAsync(TestEngines.Settings(_directory, steps: 1000), engines.ToRunEngines() with
        {
            Learner = () =>
            {
                Interlocked.Increment(ref started);
                return new StickyLearner(new TestLearner(engines));
            },
        });
        var failure = await Assert.ThrowsAsync<RunFailedException>(() => host.Completion.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(
            "learner lost its device, and no call of this process can use it any more: CUDA error: an illegal memory access was encountered; what was journaled is safe, go on with lateral resume",
            failure.Message);
        Assert.False(failure.Environment);
        Assert.InRange(started, 1, 2);
    }

    [Fact]
    public async Task Rewards_that_are_always_equal_must_be_told_after_three_steps_with_samples()
    {
        var engines = new TestEngines { Reward = _ => new RewardOutcome.Scored(0, System.Collections.Immutable.ImmutableSortedDictionary<string, double>.Empty) };
        await using var host = await RunHost.StartAsync(TestEngines.Settings(_directory, steps: 6), engines.ToRunEngines());
        await host.Completion.WaitAsync(TimeSpan.FromSeconds(60));
        var sample = engines.Batches.First(batch => batch.Step == 3).Groups[0].Siblings[0].Trajectory.Text;
        var notice = Assert.Single((await host.StatusAsync()).Notices);
        Assert.StartsWith($"in each group of the first 3 steps all rewards were equal, so that nothing was learned: 0 for \"{sample}\", 0 for ", notice, StringComparison.Ordinal);
    }

    private static async Task<RunStatus> UntilAsync(RunHost host, Func<RunStatus, bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (host.Completion.IsFaulted) await host.Completion;
            var status = await host.StatusAsync();
            if (condition(status)) return status;
            await Task.Delay(50, deadline.Token);
        }
    }

    private sealed class StickyLearner(TestLearner inner) : ILearner
    {
        public Task<(Core.Policies.PolicyManifest Policy, Checkpoint Checkpoint)> PrepareBaseAsync(IProgress<WarmupProgress> progress, CancellationToken cancellation) =>
            inner.PrepareBaseAsync(progress, cancellation);

        public Task LoadAsync(Checkpoint checkpoint, CancellationToken cancellation) => inner.LoadAsync(checkpoint, cancellation);

        public Task<StepReport> TrainAsync(LearnerBatch batch, CancellationToken cancellation) =>
            throw new InvalidOperationException("the engine failed", new ExternalException("CUDA error: an illegal memory access was encountered"));

        public Task<Checkpoint> CheckpointAsync(CancellationToken cancellation) => inner.CheckpointAsync(cancellation);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
