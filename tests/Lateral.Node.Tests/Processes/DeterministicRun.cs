namespace Lateral.Node.Tests.Processes;

/// <summary>A small deterministic run, for comparing one that was disturbed with one that was not.</summary>
internal static class DeterministicRun
{
    // Everything but the section run.
    // Rewards differ from the start, because right digits count: without gradients all weights would be equal. A process spends its time on starting, not on warm-up.
    // Four slots for groups of twelve: a group is in the middle of being sampled most of the time.
    private const string Settings = """
        task { name = sort5, descending-fraction = 0.2 }
        reward.pools.answer { kind = sort, right-digits = 0.3 }
        reward.on-constant = go-on
        warmup { steps = 40, batch = 32, lr = 6e-3 }
        model.size { width = 32, layers = 2, heads = 2, mlp = 64 }
        rollout { groups-per-step = 4, group-size = 12, gen-length = 5, block-length = 5, steps = 3 }
        algorithm { advantage = group-z, lr = 1e-3 }
        staleness.max-versions = 1
        deterministic = on
        topology.roles.sampler.slots = 4
        eval { every = 0, prompts = 16, final-prompts = 32, samples = 2 }
        checkpoint { every = 2, keep-last = 3 }
        """;

    public static string Conf(string run) => $"run {{ {run}, seed = 11 }}\n{Settings}";
}
