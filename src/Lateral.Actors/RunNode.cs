using System.Collections.Immutable;

namespace Lateral.Actors;

/// <summary>What a node of a run does; the names in lower case are those of <c>topology.roles</c> and of the cluster's members.</summary>
[Flags]
public enum NodeRoles
{
    None = 0,

    /// <summary>Owns the journal: the run's ledger, the group entities, the dispatcher and the monitor.</summary>
    Coordinator = 1,
    Learner = 2,
    Sampler = 4,
    Reward = 8,
    All = Coordinator | Learner | Sampler | Reward,
}

/// <summary>One process's part in a run.</summary>
/// <param name="Seeds">nodes to join, as <c>host:port</c>; none = this node begins the cluster</param>
public sealed record RunNode(NodeRoles Roles, ImmutableArray<string> Seeds)
{
    /// <summary>Every role in one process.</summary>
    public static RunNode Alone { get; } = new(NodeRoles.All, []);

    /// <summary>First half of its samplers' names, unique in the run; null = <c>topology.host</c>.</summary>
    public string? Name { get; init; }

    internal ImmutableArray<string> RoleNames => [.. Enum.GetValues<NodeRoles>().Where(role => int.PopCount((int)role) == 1 && Has(role)).Select(role => role.ToString().ToLowerInvariant())];

    internal bool Has(NodeRoles role) => Roles.HasFlag(role);
}
