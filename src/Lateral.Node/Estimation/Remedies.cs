using System.Collections.Immutable;
using System.Globalization;

namespace Lateral.Node.Estimation;

/// <summary>What to change where a device is too small, computed by estimating again with the change.</summary>
public static class Remedies
{
    /// <summary>Settings to write, the least intrusive first; a plain sentence where no setting helps.</summary>
    public static ImmutableArray<string> For(MemoryEstimate estimate, string device, Func<string, long?> capacity)
    {
        var settings = estimate.Settings;
        var remedies = ImmutableArray.CreateBuilder<string>();
        var (sampled, trained) = (settings.Topology.SamplerDevices.Contains(device), settings.Topology.LearnerDevice == device);
        if (sampled && Largest(settings.Topology.Slots, slots => WithSlots(estimate, slots)) is { } slots)
            remedies.Add($"topology.roles.sampler.slots = {Text(slots)}");
        if (trained && Largest(settings.Learner.MicroBatchTokens, tokens => WithMicroBatch(estimate, tokens)) is { } tokens)
            remedies.Add($"learner.micro-batch-tokens = {Text(tokens)}");
        if (remedies.Count == 0 && sampled && trained && Both(estimate, device, capacity) is { } both) remedies.Add(both);
        if (remedies.Count > 0) return remedies.ToImmutable();

        var need = estimate.Devices(capacity).Single(one => one.Device == device);
        var alone = need.Roles.Where(role => role.Role != "evaluation").Select(role => new DeviceNeed(device, [role with { Items = [.. role.Items.Where(item => item.Fixed)] }], need.Capacity)).ToList();
        remedies.Add(alone.Count > 1 && alone.TrueForAll(role => role.Fits == true)
            ? "a device of its own for each role: what they keep in any case fits alone, but not together"
            : $"a smaller model or a device with more memory: what {alone.MaxBy(role => role.Bytes)!.Roles[0].Role} keeps in any case takes {Bytes.Text(alone.Max(role => role.Bytes))}");
        return remedies.ToImmutable();

        int? Largest(int now, Func<int, MemoryEstimate> with)
        {
            // Powers of two: what people write, and the estimate is no finer.
            for (var candidate = HighestPowerBelow(now); candidate >= 1; candidate /= 2)
                if (with(candidate).Devices(capacity).Single(one => one.Device == device).Fits == true) return candidate;
            return null;
        }
    }

    private static string? Both(MemoryEstimate estimate, string device, Func<string, long?> capacity)
    {
        var (slots, tokens) = (estimate.Settings.Topology.Slots, estimate.Settings.Learner.MicroBatchTokens);
        while (slots > 1 || tokens > 1)
        {
            (slots, tokens) = (Math.Max(1, slots / 2), Math.Max(1, tokens / 2));
            if (WithMicroBatch(WithSlots(estimate, slots), tokens).Devices(capacity).Single(one => one.Device == device).Fits == true)
                return $"topology.roles.sampler.slots = {Text(slots)} and learner.micro-batch-tokens = {Text(tokens)}";
        }

        return null;
    }

    private static MemoryEstimate WithSlots(MemoryEstimate estimate, int slots) =>
        estimate with { Settings = estimate.Settings with { Topology = estimate.Settings.Topology with { Slots = slots } } };

    private static MemoryEstimate WithMicroBatch(MemoryEstimate estimate, int tokens) =>
        estimate with { Settings = estimate.Settings with { Learner = estimate.Settings.Learner with { MicroBatchTokens = tokens } } };

    private static int HighestPowerBelow(int value)
    {
        var power = 1;
        while (power * 2 < value) power *= 2;
        return power;
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
