using System.Collections.Immutable;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Lateral.Actors.Rewards;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Data;
using Lateral.Rewards.Kinds;
using Lateral.Tests;
using Xunit.Abstractions;
using static Lateral.Actors.Rollouts.GroupProtocol;

namespace Lateral.Actors.Tests.RewardSoak;

/// <summary>HumanEval through the whole path of a reward: a group asks a pool's actor, the actor its workers, a worker the sandbox.</summary>
[Collection(SandboxKiller.Victims)]
public sealed class HumanEvalSpecs(ITestOutputHelper log) : TestKit(OursOnlySerializer.Configuration)
{
    private static readonly RewardPoolSpec Spec = new("code", "code", 2, 1, TimeSpan.FromMinutes(2), 0);

    [SoakFact(Shared = true)]
    public async Task Canonical_solutions_must_be_worth_1_and_mutated_ones_0()
    {
        var settings = new DataSettings("", null, "humaneval", new DataColumns(null, null, null), "plain", 0, false, 1, 1, null);
        TaskItem[] problems = [.. DataSet.Rows(SharedFolder.Path("data", "humaneval", "HumanEval.jsonl.gz"), settings)];
        Assert.Equal(164, problems.Length);
        var keys = new Dictionary<string, string> { ["value"] = "all", ["time-limit"] = "20", ["memory-limit"] = "256", ["processes"] = "32", ["slots"] = "2", ["accept-unsandboxed"] = "off" };
        var reward = VerifierRegistry.Create("code", keys);
        await using var held = (IAsyncDisposable)reward;
        var (pool, monitor) = (Sys.ActorOf(Props.Create(() => new RewardPoolActor(new RewardPool(Spec, reward), TestActor, TimeProvider.System))), CreateTestProbe());
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        foreach (var (problem, ordinal) in problems.Select((problem, ordinal) => (problem, ordinal)))
        {
            string[] completions = [problem.Answer, $"{problem.Prompt}    return None\n", $"{problem.Prompt}    raise ValueError('no')\n"];
            var prompt = new Prompt(ordinal, [], problem.Prompt, problem.Reference);
            pool.Tell(new RewardProtocol.ScoreRollouts(ordinal, [.. completions.Select((completion, sibling) => new RewardRequest(new RolloutId(ordinal, sibling), prompt, completion))]), monitor);
        }

        var values = new SortedDictionary<long, double[]>();
        while (values.Count < problems.Length)
        {
            var scored = monitor.FishForMessage<RolloutsScored>(_ => true, TimeSpan.FromMinutes(5));
            values[scored.Group] = [.. scored.Outcomes.OrderBy(one => one.Sibling).Select(one => Assert.IsType<RewardOutcome.Scored>(one.Outcome).Value)];
        }

        log.WriteLine($"{3 * problems.Length} programs in {System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
        Assert.All(values, group => Assert.Equal([1.0, 0, 0], group.Value));
    }
}
