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

    /// <summary>Computes gradient shards beside the learner.</summary>
    Rank = 16,

    /// <summary>What every run needs.</summary>
    All = Coordinator | Learner | Sampler | Reward,
}

/// <summary>The roles' names, in the order in which work passes through them.</summary>
public static class NodeRolesNames
{
    /// <summary>Without one of these nothing is trained.</summary>
    public static ImmutableArray<string> Required { get; } = ["coordinator", "sampler", "reward", "learner"];

    public static ImmutableArray<string> All { get; } = [.. Required, "rank"];

    public static NodeRoles Parse(IEnumerable<string> names) => names.Aggregate(NodeRoles.None, (roles, name) => roles | Enum.Parse<NodeRoles>(name, ignoreCase: true));

    public static ImmutableArray<string> Of(NodeRoles roles) => [.. All.Where(name => roles.HasFlag(Parse([name])))];
}

/// <summary>One process's part in a run.</summary>
/// <param name="Seeds">nodes to join, as <c>host:port</c>; none = this node begins the cluster</param>
public sealed record RunNode(NodeRoles Roles, ImmutableArray<string> Seeds)
{
    /// <summary>Every role in one process.</summary>
    public static RunNode Alone { get; } = new(NodeRoles.All, []);

    /// <summary>First half of its samplers' names and the name of its log, unique in the run: letters, digits, '.', '_', '-'; null = <c>topology.host</c>, or the address where there are other nodes.</summary>
    public string? Name { get; init; }

    /// <summary>Nodes that share a run directory write logs of their own.</summary>
    internal string LogFile => Has(NodeRoles.Coordinator) ? "lateral.log" : $"{Name ?? $"{string.Join('-', RoleNames)}-{Environment.ProcessId}"}.log";

    internal ImmutableArray<string> RoleNames => NodeRolesNames.Of(Roles);

    internal bool Has(NodeRoles role) => Roles.HasFlag(role);
}
