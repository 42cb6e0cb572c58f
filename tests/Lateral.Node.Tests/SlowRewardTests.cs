using System.Collections.Immutable;
using System.Text.Json;
using Lateral.Actors;
using Lateral.Core.Learning;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Runs;
using Lateral.Node.Sessions;

namespace Lateral.Node.Tests;

/// <summary>A whole run with real engines whose verifier is slow: its own status file and the real <c>why</c> name the pool.</summary>
public sealed class SlowRewardTests
{
    [Fact]
    public async Task Why_must_blame_the_pool_of_a_slow_verifier_and_name_its_workers()
    {
        using var folder = new TemporaryFolder();
        using var never = new CancellationTokenSource();
        string[] sets =
        [
            "warmup { steps = 1, batch = 8 }", "reward.on-constant = go-on", "rollout { groups-per-step = 2, group-size = 4 }", "eval { every = 0, prompts = 4, final-prompts = 4, samples = 2 }",
            "reward.pools.answer { workers = 2, timeout = 5 minutes }",
        ];
        var settings = Fixtures.Load(folder.Path, sets).Settings;
        var directory = Fixtures.NewRun(folder, sets);
        RunComposition.RequireTorch(settings, "cpu");
        using var held = RunLock.Acquire(directory);
        var task = TaskComposition.Of(settings);
        await using var output = new LineOutput(TextWriter.Null);
        var display = new RunDisplay(settings, task.Tokenizer, output);
        await using var composition = RunComposition.Of(settings, directory, task, display, NodeRoles.All, SharedGradients.Alone(), TimeProvider.System);
        var slow = composition.Engines with { Rewards = ImmutableDictionary<string, IReward>.Empty.Add("answer", new SlowReward(never.Token)) };
        await using (var host = await ActorRunHost.StartAsync(await ClusterNode.JoinAsync(settings), settings, slow))
        {
            await using var writer = new StatusWriter(directory, Assert.Fail, TimeProvider.System);
            writer.Follow(host.StatusAsync);
            var diagnosis = await UntilAsync(folder, "bottleneck");
            var chain = diagnosis.GetProperty("chain").EnumerateArray().Select(link => (Part: link.GetProperty("part").GetString(), Text: link.GetProperty("text").GetString()!)).ToList();
            Assert.Equal(["learner", "reward pool answer"], chain.Select(link => link.Part));
            Assert.Matches(@"^waiting 1\d s for batch 1 \(0 of 2 groups\)$", chain[0].Text);
            // Staleness 2 lets 6 groups of 4 be issued; two of the 24 are with a worker.
            Assert.Matches(@"^24 in flight, oldest (9|1\d) s, 2 workers$", chain[1].Text);
            Assert.Equal("reward.pools.answer.workers", diagnosis.GetProperty("advice")[0].GetProperty("setting").GetString());
            await never.CancelAsync();
        }
    }

    private static async Task<JsonElement> UntilAsync(TemporaryFolder folder, string verdict)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            var (code, text, error) = await Shell.RunAsync("why", "quickstart", "--json", "--runs-dir", folder.Path);
            Assert.True(code == 0, error);
            var diagnosis = JsonElement.Parse(text).GetProperty("diagnosis");
            if (diagnosis.GetProperty("verdict").GetString() == verdict) return diagnosis;
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), text);
            await Task.Delay(100);
        }
    }

    private sealed class SlowReward(CancellationToken released) : IReward
    {
        public async ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation)
        {
            await Task.Delay(Timeout.Infinite, released).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return new RewardOutcome.Scored(0, ImmutableSortedDictionary<string, double>.Empty);
        }
    }
}
