using System.Globalization;

namespace Lateral.Chaos.Deployment;

/// <summary>
/// A small run that never ends by itself and whose every bit is reproducible, so that whatever happened can be compared with a run to
/// which nothing happened. Training takes most of a step, as it does in earnest: what samplers and rewards lose for a moment is
/// made up for by what they are ahead.
/// </summary>
internal static class SoakConfiguration
{
    public const int GroupsPerStep = 8, Siblings = 16;

    /// <summary>The learner's gradient is made not-a-number at these steps, in the soak and in its reference alike.</summary>
    public static IEnumerable<int> PoisonedSteps(int seed)
    {
        var random = new Random(seed);
        // Never three in a row: that would be a rollback.
        for (var step = 10; ; step += random.Next(10, 60)) yield return step;
    }

    public static string Run(int seed) => string.Create(CultureInfo.InvariantCulture, $$"""
        run { name = {{Files.Run}}, steps = 100000, seed = {{seed}} }
        task { name = sort5, descending-fraction = 0.2 }
        reward.pools.answer { kind = sort, right-digits = 0.3, timeout = 2s }
        reward.on-constant = go-on
        warmup { steps = 200, batch = 64, lr = 6e-3 }
        model.size { width = 64, layers = 4, heads = 4, mlp = 192 }
        rollout { groups-per-step = {{GroupsPerStep}}, group-size = {{Siblings}}, gen-length = 5, block-length = 5, steps = 3, deadline = 8s }
        algorithm { advantage = group-z, lr = 3e-5, updates = 12 }
        staleness.max-versions = 2
        deterministic = on
        topology.roles.sampler { slots = {{Siblings}} }
        eval { every = 0, prompts = 8, final-prompts = 16, samples = 1 }
        checkpoint { every = 2, keep-last = 3 }
        """);

    /// <remarks>The reference knows nothing of it: one process with one rank.</remarks>
    /// <param name="database">the server's connection string, by its Unix socket</param>
    public static string Cluster(Files files, string database) => $$"""
        topology {
          cluster { dir = "{{files.Meeting}}", patience = 5 minutes, heartbeat-pause = 2s, stable-after = 3s }
          roles.sampler.nodes = 2
        }
        learner { ranks = 2, shard-deadline = 2s }
        journal { kind = postgres, connection-string = "{{database}}", password = ${?LATERAL_DB_PASSWORD} }
        """;
}
