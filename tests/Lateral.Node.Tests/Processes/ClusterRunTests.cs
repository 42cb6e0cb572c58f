using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Lateral.Node.Sessions;
using Lateral.Tests;

namespace Lateral.Node.Tests.Processes;

/// <summary>
/// A run over several real processes, each role in its own: whatever is killed, the deterministic run ends with the weights of
/// the run that one process did alone, and its ledger balances.
/// </summary>
public sealed class ClusterRunTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    private readonly string _folder = Directory.CreateTempSubdirectory("lateral-cluster-").FullName;
    private readonly ConcurrentQueue<string> _lines = new();

    private static string Conf(int steps) => DeterministicRun.Conf($"name = c, steps = {steps}");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Run_over_processes_of_which_each_is_killed_must_end_like_the_run_of_one_process()
    {
        File.WriteAllText(Path.Combine(_folder, "run.conf"), Conf(10));
        var (code, output) = await LateralProcess.RunAsync("train", Path.Combine(_folder, "run.conf"), "--runs-dir", Path.Combine(_folder, "alone"));
        Assert.True(code == 0, output);

        await using var nodes = new NodeProcesses([Part("coordinator", "coordinator", first: true), Part("learner", "learner"), Part("s1", "sampler"), Part("s2", "sampler"), Part("reward", "reward")], _lines.Enqueue);
        using var interruption = new Interruption();
        var running = nodes.RunAsync(interruption);
        await KillAfterAsync(nodes, running, "step 1/", "s1");
        await KillAfterAsync(nodes, running, "step 3/", "learner");
        await KillAfterAsync(nodes, running, "step 5/", "coordinator");
        await KillAfterAsync(nodes, running, "step 7/", "reward");
        Assert.Equal(ExitCode.Done, await EndAsync(running));

        Assert.NotEqual(Weights("alone", 0), Weights("alone"));
        Assert.Equal(Weights("alone"), Weights("cluster"));
        var (verified, balance) = await LateralProcess.RunAsync("runs", "verify", "c", "--runs-dir", Path.Combine(_folder, "cluster"));
        Assert.True(verified == 0, balance);
        foreach (var killed in new[] { "s1", "learner", "coordinator", "reward" }) Assert.Contains(_lines, line => line.StartsWith($"{killed} ended with signal 9", StringComparison.Ordinal));
    }

    /// <summary>A rank of the first cluster is killed while it has a shard, and all of it in the middle of the run: another, smaller one takes up what is left.</summary>
    [Fact]
    public async Task Weights_must_not_depend_on_the_number_of_learner_processes_or_samplers_also_when_it_changes()
    {
        // Long enough for a process to be started again meanwhile.
        const int Steps = 100;
        File.WriteAllText(Path.Combine(_folder, "run.conf"), Conf(Steps));
        var (code, output) = await LateralProcess.RunAsync("train", Path.Combine(_folder, "run.conf"), "--runs-dir", Path.Combine(_folder, "alone"));
        Assert.True(code == 0, output);

        string[] four = ["learner.ranks = 4"];
        await using (var nodes = new NodeProcesses(
            [Part("all", "coordinator,sampler,reward,learner", first: true, "ranks", sets: four), .. Enumerable.Range(1, 3).Select(i => Part($"r{i}", "rank", runs: "ranks", sets: four))], _lines.Enqueue))
        {
            using var interruption = new Interruption();
            var running = nodes.RunAsync(interruption);
            await KillAfterAsync(nodes, running, "step 4/", "r1");
            Assert.Equal(ExitCode.Done, await EndAsync(running));
            Assert.Equal(Weights("alone", Steps), Weights("ranks", Steps));
            Assert.True(RanksOf("ranks").Max() > 1, "no other rank has computed a shard");
            _lines.Clear();
        }

        // Two ranks and three samplers, all killed, and then none of them but the learner.
        string[] large = ["learner.ranks = 2", "topology.roles.sampler.nodes = 3"];
        await using (var nodes = new NodeProcesses(
            [Part("coordinator", "coordinator,reward", first: true, sets: large), Part("learner", "learner", sets: large), Part("r1", "rank", sets: large), .. Enumerable.Range(1, 3).Select(i => Part($"s{i}", "sampler", sets: large))], _lines.Enqueue))
        {
            using var interruption = new Interruption();
            var running = nodes.RunAsync(interruption);
            await UntilAsync(running, "step 5/");
            foreach (var name in new[] { "coordinator", "learner", "r1", "s1", "s2", "s3" })
            {
                if (nodes.PidOf(name) is not { } pid) continue;
                using var process = Process.GetProcessById(pid);
                process.Kill();
            }
        }

        Assert.True(RanksOf("cluster").Max() > 1, "no other rank has computed a shard");
        var (resumed, said) = await LateralProcess.RunAsync("resume", "c", "--runs-dir", Path.Combine(_folder, "cluster"), "--set", "topology.cluster.dir = null", "--set", "topology.roles.sampler.nodes = 1", "--set", "learner.ranks = 1");
        Assert.True(resumed == 0, said);
        Assert.Equal(Weights("alone", Steps), Weights("cluster", Steps));
    }

    /// <summary>Each with a run directory of its own, as on another machine; what they share is the database.</summary>
    [PostgresFact]
    public async Task Coordinator_that_is_killed_must_be_replaced_by_the_one_standing_by()
    {
        File.WriteAllText(Path.Combine(_folder, "run.conf"), Conf(10));
        var (code, output) = await LateralProcess.RunAsync("train", Path.Combine(_folder, "run.conf"), "--runs-dir", Path.Combine(_folder, "alone"));
        Assert.True(code == 0, output);

        await using var database = await PostgresServer.StartAsync();
        var journal = Path.Combine(_folder, "journal.conf");
        File.WriteAllText(journal, $$"""
            journal { kind = postgres, connection-string = "{{database.ConnectionString}}", password = ${?LATERAL_DB_PASSWORD}, schema = lateral_c }
            topology.roles.coordinator.nodes = 2
            """);
        var password = ImmutableDictionary<string, string>.Empty.Add("LATERAL_DB_PASSWORD", PostgresServer.Password);
        NodePart Standing(string name) => Part(name, "coordinator", first: true, runs: name, conf: journal) with { Environment = password };
        await using var nodes = new NodeProcesses(
            [Standing("c1"), Standing("c2"), Part("work", "learner,sampler,reward", conf: journal)], _lines.Enqueue);
        using var interruption = new Interruption();
        var running = nodes.RunAsync(interruption);
        await KillAfterAsync(nodes, running, "step 3/", "c1");
        await KillAfterAsync(nodes, running, "step 7/", "c2");
        Assert.Equal(ExitCode.Done, await EndAsync(running));
        Assert.Equal(Weights("alone"), Weights("cluster"));
    }

    [Fact]
    public async Task Interrupted_cluster_must_save_the_run_and_every_process_end()
    {
        File.WriteAllText(Path.Combine(_folder, "run.conf"), Conf(1000));
        await using var nodes = new NodeProcesses([Part("coordinator", "coordinator,reward", first: true), Part("learner", "learner"), Part("s1", "sampler")], _lines.Enqueue);
        using var interruption = new Interruption();
        var running = nodes.RunAsync(interruption);
        await UntilAsync(running, "step 2/");
        var pids = new[] { "coordinator", "learner", "s1" }.Select(name => nodes.PidOf(name)!.Value).ToList();
        interruption.Signal();
        Assert.Equal(ExitCode.Interrupted, await EndAsync(running));
        Assert.Contains(_lines, line => line.StartsWith("coordinator | run c stopped and saved at step ", StringComparison.Ordinal));
        Assert.Contains("learner | left the run, which goes on without this node", _lines);
        Assert.All(pids, pid => Assert.Throws<ArgumentException>(() => Process.GetProcessById(pid)));
        // One process takes up what three have left.
        var (code, output) = await LateralProcess.RunAsync("resume", "c", "--runs-dir", Path.Combine(_folder, "cluster"), "--set", "topology.cluster.dir = null", "--set", "run.steps = 30");
        Assert.True(code == 0, output);
    }

    [Fact]
    public async Task Node_with_other_settings_must_be_refused_with_the_reason()
    {
        File.WriteAllText(Path.Combine(_folder, "run.conf"), Conf(1000));
        await using var nodes = new NodeProcesses([Part("all", "coordinator,reward,learner,sampler", first: true)], _lines.Enqueue);
        using var interruption = new Interruption();
        var running = nodes.RunAsync(interruption);
        await UntilAsync(running, "step 1/");
        var (code, output) = await LateralProcess.RunAsync([.. Part("other", "sampler").Arguments, "--set", "algorithm.lr = 0.5"]);
        Assert.Equal(3, code);
        Assert.Matches("the coordinator at 127.0.0.1:[0-9]+ has settings [0-9a-f]{12} and this node [0-9a-f]{12}: start every node with the same files and the same --set", output);
        interruption.Signal();
        Assert.Equal(ExitCode.Interrupted, await EndAsync(running));
    }

    private NodePart Part(string name, string roles, bool first = false, string runs = "cluster", string? conf = null, params string[] sets)
    {
        // Detection is quick, so that the test is.
        sets = [.. sets, $"topology.cluster {{ dir = \"{Path.Combine(_folder, "meet")}\", patience = 2 minutes, heartbeat-pause = 2s, stable-after = 3s }}", $"policies.cache-dir = \"{Path.Combine(_folder, "policies")}\""];
        string[] confs = [Path.Combine(_folder, "run.conf"), .. conf is null ? [] : new[] { conf }];
        return new NodePart(name, ["node", .. confs, "--role", roles, "--as", name, "--runs-dir", Path.Combine(_folder, runs), .. sets.SelectMany(set => new[] { "--set", set })], first);
    }

    private async Task KillAfterAsync(NodeProcesses nodes, Task running, string line, string part)
    {
        await UntilAsync(running, line);
        int? pid;
        // A part that is just being started again is killed once it runs.
        while ((pid = nodes.PidOf(part)) is null) await Task.Delay(20);
        using var process = Process.GetProcessById(pid.Value);
        process.Kill();
    }

    private async Task<ExitCode> EndAsync(Task<ExitCode> running)
    {
        await Task.WhenAny(running, Task.Delay(Deadline));
        Assert.True(running.IsCompleted, $"the processes did not end within {Deadline}:\n{string.Join('\n', _lines)}");
        return await running;
    }

    private async Task UntilAsync(Task running, string line)
    {
        var clock = Stopwatch.StartNew();
        while (!_lines.Any(said => said.Contains(line, StringComparison.Ordinal)))
        {
            Assert.False(running.IsCompleted || clock.Elapsed > Deadline, $"'{line}' was not said within {clock.Elapsed}:\n{string.Join('\n', _lines)}");
            await Task.Delay(20);
        }
    }

    private IEnumerable<double> RanksOf(string runs) => File.ReadLines(Path.Combine(_folder, runs, "c", "metrics.jsonl")).Select(line => JsonNode.Parse(line)!["learner/ranks"]!.GetValue<double>());

    private string Weights(string runs, int step = 10)
    {
        using var file = File.OpenRead(Path.Combine(_folder, runs, "c", "checkpoints", $"step_{step}", "model.safetensors"));
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
