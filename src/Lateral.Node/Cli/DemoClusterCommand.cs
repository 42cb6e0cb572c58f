using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Lateral.Actors.Hosting;
using Lateral.Node.Runs;
using Lateral.Node.Sessions;

namespace Lateral.Node.Cli;

/// <summary>
/// <c>demo-cluster</c>: the quickstart's task on a cluster of this machine. Coordinator, learner, two samplers and a reward node are
/// processes of their own, as they would be on machines of their own, and the journal is a PostgreSQL server where one is installed.
/// </summary>
internal static class DemoClusterCommand
{
    public static Command Create(Terminal terminal)
    {
        var (sets, folder, json) = (Options.Set(), Options.RunsDir(), Options.Json());
        var demo = new Command("demo-cluster", Help.Line("train the quickstart's task on a cluster of processes on this machine", "demo-cluster")) { sets, folder, json };
        demo.SetAction(async (parsed, _) => (int)await RunAsync(terminal, parsed.GetValue(sets) ?? [], parsed.GetValue(folder), parsed.GetValue(json)));
        return demo;
    }

    private static async Task<ExitCode> RunAsync(Terminal terminal, string[] sets, string? runs, bool json)
    {
        var files = Directory.CreateTempSubdirectory("lateral-demo-").FullName;
        using var interruption = Interruption.OfProcess();
        Lock gate = new();
        void Say(string line)
        {
            // Five processes speak, one line at a time.
            lock (gate) terminal.Out.WriteLine(json ? ToJson(line) : line);
        }

        try
        {
            // Drawn for this server, and known to the coordinator's process only.
            var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
            if (TemporaryPostgres.Programs is null) Say("no PostgreSQL is installed here: the coordinator keeps its journal in SQLite files");
            await using var server = TemporaryPostgres.Programs is null ? null : await TemporaryPostgres.StartAsync(password);
            if (server is not null) Say($"journal: PostgreSQL at 127.0.0.1:{server.Port}, which is gone with the demonstration");
            string[] confs = [Write("quickstart.conf", StarterConfig.Embedded("quickstart")), Write("cluster.conf", Cluster(files, server?.ConnectionString))];
            await using var nodes = new NodeProcesses(Parts(confs, password, sets, runs, json), Say);
            return await nodes.RunAsync(interruption);
        }
        finally
        {
            Directory.Delete(files, recursive: true);
        }

        string Write(string name, string text)
        {
            var path = Path.Combine(files, name);
            File.WriteAllText(path, text);
            return path;
        }
    }

    /// <summary>What makes a run of one process a run of five: where they meet, how many there are, and a journal.</summary>
    private static string Cluster(string folder, string? connection) => $$"""
        topology {
          cluster { dir = "{{Path.Combine(folder, "nodes")}}", patience = 2 minutes }
          roles.sampler.nodes = 2
        }
        policies.cache-dir = "{{Path.Combine(folder, "policies")}}"
        {{(connection is null ? "" : $"journal {{ kind = postgres, connection-string = \"{connection}\", password = ${{?LATERAL_DB_PASSWORD}} }}")}}
        """;

    private static ImmutableArray<NodePart> Parts(string[] confs, string password, string[] sets, string? runs, bool json)
    {
        var name = FreeName(runs ?? RunCatalog.DefaultFolder);
        ImmutableArray<string> shared =
        [
            "--name", name, .. runs is null ? Array.Empty<string>() : ["--runs-dir", runs], .. sets.SelectMany(set => new[] { "--set", set }), .. json ? ["--json"] : Array.Empty<string>(),
        ];
        NodePart Part(string node, string role) => new(node, ["node", .. confs, "--role", role, "--as", node, .. shared]);
        var coordinator = Part("coordinator", "coordinator") with { First = true, Environment = ImmutableDictionary<string, string>.Empty.Add("LATERAL_DB_PASSWORD", password) };
        return [coordinator, Part("learner", "learner"), Part("sampler-1", "sampler"), Part("sampler-2", "sampler"), Part("reward", "reward")];
    }

    /// <summary>A run is never overwritten.</summary>
    private static string FreeName(string folder) =>
        Enumerable.Range(1, int.MaxValue).Select(n => n == 1 ? "demo-cluster" : $"demo-cluster-{n}").First(name => !Directory.Exists(Path.Combine(folder, name)));

    /// <summary>Example: <c>{"node":"learner","event":"step","step":1,...}</c>.</summary>
    private static string ToJson(string line)
    {
        var (node, text) = line.Split(" | ", 2) is [var first, var rest] ? (first, rest) : ("demo", line);
        var said = text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : new JsonObject { ["event"] = "note", ["text"] = text };
        said.Insert(0, "node", node);
        return said.ToJsonString();
    }
}
