using Lateral.Configuration;
using Lateral.Core;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary><c>rollout {}</c>: lengths, blocks and steps have to divide each other.</summary>
internal static class RolloutSection
{
    /// <summary>Tokens that stay masked, of one rollout: at three bytes each three quarters of the largest message, with room for the rest of its trajectory.</summary>
    private const long MostMaskedDraws = 128 * 1024;

    public static RolloutSettings Read(ConfigReader rollout)
    {
        var size = rollout.Int("group-size", 2, 1024);
        var spec = ReadSpec(rollout) with { Hints = ReadHints(rollout.Section("hints"), size) };
        return new(rollout.Int("groups-per-step", 1, 4096), size, spec, rollout.Duration("deadline", TimeSpan.FromSeconds(1), TimeSpan.FromDays(7)));
    }

    private static HintSpec? ReadHints(ConfigReader hints, int groupSize)
    {
        var spec = new HintSpec(hints.Int("rollouts", 0, 1023), hints.Double("least", 0, 1), hints.Double("most", 0, 1), hints.Int("chunk", 1, 65_536));
        if (spec.Rollouts > groupSize - 2 && groupSize > 0) hints.Error("rollouts", $"must leave two rollouts of a group ({groupSize}) without hints, got {spec.Rollouts} - write rollouts = {groupSize - 2}");
        if (spec.Least > spec.Most) hints.Error("least", FormattableString.Invariant($"must be at most hints.most ({spec.Most}), got {spec.Least} - write least = {spec.Most}"));
        return spec.Rollouts == 0 ? null : spec;
    }

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
            RolloutSpec spec = new(length, block, steps, ReadTemperature(rollout), reveal, rollout.Bool("stop-at-end")) { RevealLimit = ReadLimit(rollout, reveal) };
            RequireFit(rollout, spec);
            return spec;
        }
    }

    /// <summary>What a reveal rule asks of lengths and steps.</summary>
    private static void RequireFit(ConfigReader rollout, RolloutSpec spec)
    {
        if (spec.BlockLength == 0 || spec.Blocks == 0 || RevealRules.All.FirstOrDefault(rule => rule.Name == spec.Reveal) is not { } reveal) return;
        if (reveal.Law == SelectionLaw.Bernoulli && spec.StepsPerBlock == 1 && spec.BlockLength > 1)
            rollout.Error("steps", FormattableString.Invariant($"must be more than one a block with reveal = {spec.Reveal}, because the last step of a block reveals all that is left, got {spec.Steps} - write steps = {2 * spec.Blocks}"));
        if (!reveal.RecordsMasked) return;
        // Half of every block is masked on average, after every step but its last.
        var draws = (long)spec.GenLength * (spec.StepsPerBlock - 1) / 2;
        if (draws > MostMaskedDraws)
            rollout.Error("reveal", FormattableString.Invariant($"= {spec.Reveal} records the {draws:N0} tokens that stay masked in a rollout, and at most {MostMaskedDraws:N0} fit - lower rollout.block-length ({spec.BlockLength}) or rollout.steps ({spec.Steps})"));
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
