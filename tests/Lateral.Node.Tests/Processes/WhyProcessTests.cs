using System.Diagnostics;

namespace Lateral.Node.Tests.Processes;

/// <summary>A real process that is slow, is suspended, goes on, and is killed: <c>why</c> tells each from outside.</summary>
public sealed class WhyProcessTests : IDisposable
{
    // One slot for 8,192 rollouts a step: the learner waits for the sampler.
    private const string Conf = """
        run { steps = 200, seed = 5 }
        task { name = sort5 }
        reward.pools.answer { kind = sort }
        reward.on-constant = go-on
        warmup { steps = 2, batch = 8 }
        model.size { width = 32, layers = 2, heads = 2, mlp = 64 }
        rollout { groups-per-step = 512, group-size = 16, gen-length = 5 }
        topology.roles.sampler.slots = 1
        eval { every = 0, prompts = 4, final-prompts = 8, samples = 2 }
        """;

    private readonly string _runs = Directory.CreateTempSubdirectory("lateral-why-").FullName;

    public void Dispose() => Directory.Delete(_runs, recursive: true);

    [LinuxFact]
    public async Task Why_must_name_the_culprit_of_a_process_that_is_slow_then_suspended_then_killed()
    {
        var conf = Path.Combine(_runs, "slow.conf");
        File.WriteAllText(conf, Conf);
        using var process = LateralProcess.Start("train", conf, "--name", "slow", "--runs-dir", _runs);
        await process.UntilAsync(p => p.Output.Contains("evaluation at step 0", StringComparison.Ordinal));

        var slow = await Why.UntilAsync("slow", _runs, answer => answer.Verdict == "bottleneck" && answer.Text.StartsWith("sampling", StringComparison.Ordinal));
        Assert.Equal("sampler 127.0.0.1/cpu", slow.Culprit);
        Assert.Matches(@"^sampling \d+ rollouts in 1 slot$", slow.Text);
        Assert.Equal("topology.roles.sampler.slots", slow.Settings[0]);

        Signal("-STOP", process);
        var suspended = await Why.UntilAsync("slow", _runs, answer => answer.Verdict == "stuck");
        Assert.Equal(("process", $"let it go on with kill -CONT {process.Pid}"), (suspended.Culprit, Assert.Single(suspended.Advice)));
        Assert.Contains($"{process.Pid} is suspended", suspended.Text, StringComparison.Ordinal);

        Signal("-CONT", process);
        Assert.Equal("sampler 127.0.0.1/cpu", (await Why.UntilAsync("slow", _runs, answer => answer.Verdict == "bottleneck")).Culprit);

        await process.KillAsync();
        var killed = await Why.AskAsync("slow", _runs);
        Assert.Equal(("ended", "process", "go on with lateral resume"), (killed.Verdict, killed.Culprit, killed.Advice[0]));
        Assert.Contains($"{process.Pid} is gone without a word", killed.Text, StringComparison.Ordinal);
        Assert.Contains("its learner was waiting", killed.Text, StringComparison.Ordinal);
    }

    private static void Signal(string signal, LateralProcess process)
    {
        using var kill = Process.Start("kill", [signal, $"{process.Pid}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
