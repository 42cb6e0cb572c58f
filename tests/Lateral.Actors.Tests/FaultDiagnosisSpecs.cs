using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

/// <summary>A real run with a fault in one place: the diagnosis of its status names that place and the setting.</summary>
public sealed class FaultDiagnosisSpecs : IDisposable
{
    private static readonly ImmutableSortedDictionary<string, double> Nothing = ImmutableSortedDictionary<string, double>.Empty;

    private readonly string _directory = Directory.CreateTempSubdirectory("lateral-").FullName;
    private readonly ManualResetEventSlim _released = new();
    private readonly TestEngines _engines = new();

    public void Dispose()
    {
        _released.Set();
        Directory.Delete(_directory, recursive: true);
        _released.Dispose();
    }

    [Fact]
    public async Task Slow_reward_must_be_blamed_with_its_workers()
    {
        _engines.Reward = request =>
        {
            _released.Wait(TimeSpan.FromSeconds(60));
            return new RewardOutcome.Scored(request.Id.Sibling, Nothing);
        };
        // Six groups of two are scored by one worker, which takes for ever.
        var pool = new RewardPoolSpec("answer", "sort", 1, 1, TimeSpan.FromMinutes(5), 0);
        var diagnosis = await DiagnoseAsync(Settings() with { Pools = [pool] }, _engines.ToRunEngines(), d => d.Verdict == Verdict.Bottleneck);
        Assert.Equal(["learner", "reward pool answer"], diagnosis.Chain.Select(link => link.Part));
        Assert.Matches(@"^waiting 1\d s for batch 1 \(0 of 3 groups\)$", diagnosis.Chain[0].Text);
        Assert.Matches(@"^12 in flight, oldest (9|1\d) s, 1 worker$", diagnosis.Culprit.Text);
        Assert.Equal("reward.pools.answer.workers", diagnosis.Advice[0].Setting);
    }

    [Fact]
    public async Task Reward_that_misses_its_deadline_must_be_blamed_with_its_timeout()
    {
        _engines.Reward = request =>
        {
            _released.Wait(TimeSpan.FromSeconds(60));
            return new RewardOutcome.Scored(request.Id.Sibling, Nothing);
        };
        var pool = new RewardPoolSpec("answer", "sort", 4, 1, TimeSpan.FromSeconds(1.5), 0);
        var diagnosis = await DiagnoseAsync(Settings() with { Pools = [pool] }, _engines.ToRunEngines(), d => d.Verdict == Verdict.Stuck);
        Assert.Equal("reward pool answer", diagnosis.Culprit.Part);
        Assert.Contains("in a row and retried (no answer within 1.5 s)", diagnosis.Culprit.Text, StringComparison.Ordinal);
        Assert.Equal("reward.pools.answer.timeout", diagnosis.Advice[0].Setting);
    }

    [Fact]
    public async Task Sampler_that_cannot_start_must_be_blamed_and_in_the_end_fail_the_run()
    {
        var engines = _engines.ToRunEngines() with { Sampler = _ => throw new InvalidOperationException("no such device") };
        await using var host = await RunHost.StartAsync(Settings(), engines);
        var diagnosis = await UntilAsync(host, d => d.Culprit is { Part: "sampler 127.0.0.1/cpu" });
        Assert.Equal(Verdict.Stuck, diagnosis.Verdict);
        Assert.EndsWith("and is restarted each time: no such device", diagnosis.Culprit.Text, StringComparison.Ordinal);
        Assert.Equal("topology.roles.sampler.devices", diagnosis.Advice[^1].Setting);
        var failure = await Assert.ThrowsAsync<RunFailedException>(() => host.Completion.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal("no sampler is left: sampler 127.0.0.1/cpu failed 5 times within 10 minutes and is given up: no such device", failure.Message);
        Assert.Equal($"failure: {failure.Message}", RunDiagnosis.Of(await host.StatusAsync(), Surroundings.Inside).Culprit.ToString());
    }

    [Fact]
    public async Task Sampler_whose_engine_never_comes_up_must_be_blamed()
    {
        var engines = _engines.ToRunEngines() with { Sampler = _ => Released<ISampler>(new TestSampler(_engines)) };
        var diagnosis = await DiagnoseAsync(Settings(), engines, d => d.Verdict == Verdict.Stuck);
        Assert.Equal(["learner", "dispatcher", "sampler 127.0.0.1/cpu"], diagnosis.Chain.Select(link => link.Part));
        Assert.Matches(@"^has not come up for 1\d s$", diagnosis.Culprit.Text);
    }

    [Fact]
    public async Task Sampler_that_hangs_with_rollouts_in_it_must_be_blamed()
    {
        _engines.SamplerFault = _ => Released(false);
        var diagnosis = await DiagnoseAsync(Settings(), _engines.ToRunEngines(), d => d.Verdict == Verdict.Stuck);
        Assert.Equal(["learner", "dispatcher", "sampler 127.0.0.1/cpu"], diagnosis.Chain.Select(link => link.Part));
        Assert.Matches(@"^holds \d+ rollouts and has computed nothing for 1\d s$", diagnosis.Culprit.Text);
    }

    [Fact]
    public async Task Learner_that_trains_long_must_be_blamed_while_the_samplers_have_used_up_the_staleness_budget()
    {
        var engines = _engines.ToRunEngines();
        var learner = engines.Learner;
        var diagnosis = await DiagnoseAsync(
            Settings(), engines with { Learner = () => new HeldLearner(learner(), () => Task.Run(() => Released(true))) }, d => d.Verdict == Verdict.Bottleneck);
        Assert.Equal(["sampler 127.0.0.1/cpu", "learner"], diagnosis.Chain.Select(link => link.Part));
        Assert.Contains("for work: all 6 groups that staleness.max-versions allows are issued", diagnosis.Chain[0].Text, StringComparison.Ordinal);
        Assert.Matches(@"^training step 1 for 1\d s$", diagnosis.Culprit.Text);
        Assert.Equal("staleness.max-versions", diagnosis.Advice[0].Setting);
    }

    [Fact]
    public async Task Learner_that_fails_again_and_again_must_be_blamed_with_its_reason()
    {
        _engines.LearnerFault = _ => true;
        var diagnosis = await DiagnoseAsync(Settings(), _engines.ToRunEngines(), d => d is { Verdict: Verdict.Stuck, Culprit.Part: "learner" });
        Assert.EndsWith("is restarted each time: out of memory at step 1", diagnosis.Culprit.Text, StringComparison.Ordinal);
        Assert.Equal("learner.micro-batch-tokens", Assert.Single(diagnosis.Advice).Setting);
    }

    [Fact]
    public async Task Journal_that_is_locked_by_another_program_must_be_blamed()
    {
        await using var host = await RunHost.StartAsync(Settings() with { Steps = 100_000 }, _engines.ToRunEngines());
        await UntilAsync(host, (status, _) => status.Ledger.Version >= 2);
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_directory, "journal.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE";
        command.ExecuteNonQuery();
        var diagnosis = await UntilAsync(host, d => d.Verdict == Verdict.Stuck);
        Assert.Equal("journal", diagnosis.Culprit.Part);
        Assert.Matches(@"writes? in flight, oldest \d+ s", diagnosis.Culprit.Text);
        Assert.Equal("run.dir", diagnosis.Advice[0].Setting);
        command.CommandText = "ROLLBACK";
        command.ExecuteNonQuery();
        var version = (await host.StatusAsync()).Ledger.Version;
        await UntilAsync(host, (status, d) => status.Ledger.Version > version + 2 && d.Verdict == Verdict.Working);
    }

    private RunSettings Settings() => TestEngines.Settings(_directory);

    private T Released<T>(T value)
    {
        _released.Wait(TimeSpan.FromSeconds(60));
        return value;
    }

    private static async Task<Diagnosis> DiagnoseAsync(RunSettings settings, RunEngines engines, Func<Diagnosis, bool> until)
    {
        await using var host = await RunHost.StartAsync(settings, engines);
        return await UntilAsync(host, until);
    }

    private static Task<Diagnosis> UntilAsync(RunHost host, Func<Diagnosis, bool> until) => UntilAsync(host, (_, diagnosis) => until(diagnosis));

    private static async Task<Diagnosis> UntilAsync(RunHost host, Func<RunStatus, Diagnosis, bool> until)
    {
        var seen = new List<string>();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (clock.Elapsed < TimeSpan.FromSeconds(45))
        {
            var status = await host.StatusAsync();
            var diagnosis = RunDiagnosis.Of(status, Surroundings.Inside);
            if (until(status, diagnosis)) return diagnosis;
            if (seen.LastOrDefault() != diagnosis.Line) seen.Add(diagnosis.Line);
            await Task.Delay(100);
        }

        throw new TimeoutException(string.Join('\n', seen));
    }

    /// <summary>Trains nothing before it is let.</summary>
    private sealed class HeldLearner(ILearner inner, Func<Task> hold) : ILearner
    {
        public Task<(PolicyManifest Policy, Checkpoint Checkpoint)> PrepareBaseAsync(IProgress<WarmupProgress> progress, CancellationToken cancellation) =>
            inner.PrepareBaseAsync(progress, cancellation);

        public Task LoadAsync(Checkpoint checkpoint, CancellationToken cancellation) => inner.LoadAsync(checkpoint, cancellation);

        public async Task<StepReport> TrainAsync(LearnerBatch batch, CancellationToken cancellation)
        {
            await hold();
            return await inner.TrainAsync(batch, cancellation);
        }

        public Task<Checkpoint> CheckpointAsync(CancellationToken cancellation) => inner.CheckpointAsync(cancellation);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
