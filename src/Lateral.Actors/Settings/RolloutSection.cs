using Lateral.Configuration;
using Lateral.Core;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary><c>rollout {}</c>: lengths, blocks and steps have to divide each other.</summary>
internal static class RolloutSection
{
    public static RolloutSettings Read(ConfigReader rollout) => new(
        rollout.Int("groups-per-step", 1, 4096), rollout.Int("group-size", 2, 1024), ReadSpec(rollout),
        rollout.Duration("deadline", TimeSpan.FromSeconds(1), TimeSpan.FromDays(7)));

    private static RolloutSpec ReadSpec(ConfigReader rollout)
    {
        var length = ReadLength(rollout);
        var block = rollout.Has("block-length") ? rollout.Int("block-length", 1, 65_536) : length;
        var steps = rollout.Has("steps") ? rollout.Int("steps", 1, 65_536) : length;
        // Rules between keys would only repeat that one of them is wrong.
        if (length == 0 || block == 0 || steps == 0) return Spec();
        if (length % block != 0) rollout.Error("block-length", $"must divide gen-length ({length}), got {block} - write block-length = {Divisors.Advice(length, block)}");
        else if (steps % (length / block) != 0) rollout.Error("steps", $"must be a multiple of the number of blocks ({length} / {block} = {length / block}), got {steps} - write steps = {Multiples(steps, length / block, length)}");
        if (steps > length) rollout.Error("steps", $"must be at most gen-length ({length}) because every step reveals a token, got {steps} - write steps = {length}");
        return Spec();

        RolloutSpec Spec()
        {
            var reveal = rollout.OneOf("reveal", RevealRules.Names);
            return new(length, block, steps, ReadTemperature(rollout), reveal, rollout.Bool("stop-at-end")) { RevealLimit = ReadLimit(rollout, reveal) };
        }
    }

    /// <summary>0 for a rule that knows none.</summary>
    private static double ReadLimit(ConfigReader rollout, string reveal)
    {
        var given = rollout.Has("reveal-limit");
        if (RevealRules.All.FirstOrDefault(rule => rule.Name == reveal)?.Limit is not { } limit) return 0;
        return given ? rollout.Double("reveal-limit", limit.Least, limit.Most) : limit.Usual;
    }

    /// <summary>The multiples next to a value, at most <paramref name="most"/>. Example: 3 steps of 2 blocks are <c>2 or 4</c>.</summary>
    private static string Multiples(int value, int of, int most)
    {
        var (below, above) = (Math.Min(value, most) / of * of, ((value / of) + 1) * of);
        return below == 0 ? $"{above}" : above > most ? $"{below}" : $"{below} or {above}";
    }

    /// <summary>0 where the length is missing or wrong, which has then been reported.</summary>
    private static int ReadLength(ConfigReader rollout)
    {
        if (rollout.Has("gen-length")) return rollout.Int("gen-length", 1, 65_536);
        rollout.Missing("gen-length", "must be set: the tokens that the task's answers need - write gen-length = 5");
        return 0;
    }

    private static double ReadTemperature(ConfigReader rollout)
    {
        var temperature = rollout.Double("temperature", 0, 10);
        if (temperature == 0 && rollout.Value.Find("temperature") is ConfigScalar { Kind: ScalarKind.Number }) rollout.Error("temperature", "must be above 0: a greedy rollout has no importance ratio - write temperature = 1.0");
        return temperature;
    }
}
