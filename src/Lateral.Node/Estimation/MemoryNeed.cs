using System.Collections.Immutable;

namespace Lateral.Node.Estimation;

/// <summary>One thing that occupies memory.</summary>
/// <param name="What">for example <c>optimizer moments</c></param>
/// <param name="How">the formula with its numbers, for whoever wants to know where the figure comes from</param>
/// <param name="Fixed">follows from the model alone: no setting of batches or slots changes it</param>
public sealed record MemoryItem(string What, long Bytes, string How, bool Fixed = false);

/// <summary>What one role keeps on one device at its peak.</summary>
/// <param name="Role"><c>sampler</c>, <c>evaluation</c>, <c>learner</c>, <c>learner rank</c> or <c>process</c></param>
public sealed record RoleNeed(string Role, ImmutableArray<MemoryItem> Items)
{
    public long Bytes => Items.Sum(item => item.Bytes);
}

/// <summary>One device's roles and what it has.</summary>
/// <param name="Device"><c>cpu</c> or <c>cuda:N</c></param>
/// <param name="Capacity">bytes; null where it is not known</param>
public sealed record DeviceNeed(string Device, ImmutableArray<RoleNeed> Roles, long? Capacity)
{
    /// <summary>Share of a device that allocators lose to fragments and to the driver.</summary>
    private const double Usable = 0.92;

    public long Bytes => Roles.Sum(role => role.Bytes);

    /// <summary>Null where the capacity is not known.</summary>
    public bool? Fits => Capacity is { } capacity ? Bytes <= capacity * Usable : null;
}
