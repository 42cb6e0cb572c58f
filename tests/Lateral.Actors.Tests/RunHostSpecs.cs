using Lateral.Core.Rewards;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

/// <summary>The whole actor system, with its real cluster, sharding and SQLite journal, on engines without torch.</summary>
public sealed class RunHostSpecs : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lateral-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(0, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public async Task Run_must_train_every_step_on_fresh_groups_within_the_staleness_budget(int eta, bool deterministic)
    {
        var engines = new TestEngines();
        var settings = TestEngines.Settings(_directory, steps: 5, groups: 3, eta: eta, deterministic: deterministic);
        var status = await RunToEnd(settings, engines);

        Assert.Equal([1, 2, 3, 4, 5], engines.Batches.Select(batch => batch.Step));
        Assert.Equal([1, 2, 3, 4, 5], engines.Recorded);
        var consumed = engines.Batches.SelectMany(batch => batch.Groups.Select(group => group.Ordinal)).ToArray();
        Assert.Equal(15, consumed.Distinct().Count());
        Assert.Equal(15, consumed.Length);
        Assert.Equal((15L, 15L, 0L), (status.Issued, status.Trained, status.Filtered));
        Assert.Equal(30, engines.Sampled.Distinct().Count());
        foreach (var batch in engines.Batches)
        {
            var staleness = batch.Groups.SelectMany(g => g.Siblings).Select(s => batch.Step - 1 - s.Trajectory.OldestVersion).ToArray();
            Assert.All(staleness, lag => Assert.InRange(lag, 0, eta));
            if (deterministic) Assert.All(staleness, lag => Assert.Equal(Math.Min(eta, batch.Step - 1), lag));
        }
    }

    [Fact]
    public async Task Resumed_run_must_sample_nothing_again_and_end_in_the_same_weights()
    {
        var whole = new TestEngines();
        var wholeDirectory = Directory.CreateDirectory(Path.Combine(_directory, "whole")).FullName;
        await RunToEnd(TestEngines.Settings(wholeDirectory, steps: 6, deterministic: true), whole);

        var engines = new TestEngines();
        var settings = TestEngines.Settings(_directory, steps: 6, deterministic: true);
        await using (var host = await RunHost.StartAsync(settings, engines.ToRunEngines()))
        {
            await Eventually(async () => (await host.StatusAsync()).Ledger.Version >= 3);
        }

        var status = await RunToEnd(settings, engines);
        Assert.True(status.Finished);
        Assert.Equal(whole.Checkpoints[6], engines.Checkpoints[6]);
        Assert.Equal([1, 2, 3, 4, 5, 6], engines.Recorded);
    }

    [Fact]
    public async Task Lost_sampler_must_be_replaced_and_its_groups_issued_again()
    {
        var faults = 0;
        var engines = new TestEngines { SamplerFault = id => id.Group == 4 && Interlocked.Increment(ref faults) <= 2 };
        var status = await RunToEnd(TestEngines.Settings(_directory), engines);
        Assert.Equal((12L, 12L, 0L), (status.Issued, status.Trained, status.Filtered));
        Assert.True(faults > 2);
    }

    [Fact]
    public async Task Dying_learner_must_restore_from_the_ledger_and_train_no_step_twice()
    {
        var faults = 0;
        var engines = new TestEngines { LearnerFault = step => step == 4 && Interlocked.Increment(ref faults) <= 2 };
        await RunToEnd(TestEngines.Settings(_directory, steps: 5), engines);
        Assert.Equal([1, 2, 3, 4, 5], engines.Recorded);
        // Step 3 is after the last checkpoint (2): each restored learner replays it from the same trajectories.
        var replays = engines.Batches.Where(batch => batch.Step == 3).Select(batch => string.Join(",", batch.Groups.Select(ContentHash.Of))).ToArray();
        Assert.Equal(3, replays.Length);
        Assert.Single(replays.Distinct());
    }

    [Fact]
    public async Task Learner_that_never_recovers_must_fail_the_run_with_its_reason()
    {
        var engines = new TestEngines { LearnerFault = step => step == 2 };
        await using var host = await RunHost.StartAsync(TestEngines.Settings(_directory), engines.ToRunEngines());
        var failure = await Assert.ThrowsAsync<RunFailedException>(() => host.Completion.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Contains("out of memory at step 2", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Group_whose_reward_only_faults_must_be_quarantined_whole_and_counted(bool deterministic)
    {
        var engines = new TestEngines();
        var score = engines.Reward;
        engines.Reward = request => request.Id.Group == 1 ? throw new IOException("verifier host is down") : score(request);
        var status = await RunToEnd(TestEngines.Settings(_directory, deterministic: deterministic), engines);
        Assert.Equal(1, status.Filtered);
        Assert.Equal(status.Issued, status.Trained + status.Filtered);
        Assert.DoesNotContain(engines.Batches, batch => batch.Groups.Any(group => group.Ordinal == 1));
        // In deterministic mode the ordinal keeps its place as an empty group; otherwise another is issued for it.
        Assert.Equal(deterministic ? 11 : 12, status.Trained);
    }

    [Fact]
    public async Task Stopped_run_must_commit_a_checkpoint_of_its_last_step()
    {
        var engines = new TestEngines();
        var settings = TestEngines.Settings(_directory, steps: 1000) with { Checkpoint = new CheckpointSettings(1000, 3) };
        var host = await RunHost.StartAsync(settings, engines.ToRunEngines());
        await Eventually(async () => (await host.StatusAsync()).Ledger.Version >= 2);
        var version = (await host.StopAsync())!.Value;
        Assert.True(version >= 2);
        Assert.Contains(version, engines.Checkpoints.Keys);
    }

    [Fact]
    public async Task Audit_must_name_a_group_whose_content_was_changed_and_one_recorded_twice()
    {
        var settings = TestEngines.Settings(_directory);
        await RunToEnd(settings, new TestEngines());
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_directory, "journal.db")}");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = """
            UPDATE journal SET message = (SELECT message FROM journal WHERE persistence_id = 'group-test-2' AND manifest = 'rw1')
              WHERE persistence_id = 'group-test-2' AND manifest = 'tr1';
            UPDATE journal SET persistence_id = 'group-test-4', sequence_number = sequence_number + 1 WHERE persistence_id = 'group-test-5' AND manifest = 'rw1';
            """;
        Assert.Equal(2, command.ExecuteNonQuery());
        var violations = JournalAudit.Run(settings).Violations;
        Assert.Contains(violations, violation => violation.StartsWith("group 2 ", StringComparison.Ordinal));
        Assert.Contains(violations, violation => violation.StartsWith("group 4: recorded twice", StringComparison.Ordinal));
        Assert.Contains(violations, violation => violation.StartsWith("group 5 is completed in the ledger but not", StringComparison.Ordinal));
    }

    private static async Task<LedgerStatus> RunToEnd(RunSettings settings, TestEngines engines)
    {
        await using var host = await RunHost.StartAsync(settings, engines.ToRunEngines());
        await host.Completion.WaitAsync(TimeSpan.FromSeconds(60));
        var status = (await host.StatusAsync()).Ledger;
        var audit = JournalAudit.Run(settings);
        Assert.Empty(audit.Violations);
        Assert.Equal((status.Issued, status.Trained, status.Filtered), (audit.Ledger.Issued, audit.Ledger.Trained, audit.Ledger.Filtered));
        return status;
    }

    private static async Task Eventually(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition()) await Task.Delay(50, deadline.Token);
    }
}
