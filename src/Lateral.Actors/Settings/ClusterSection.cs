using System.Collections.Immutable;
using System.Globalization;
using Lateral.Configuration;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary><c>topology.cluster {}</c> and who of <c>topology.roles {}</c> is where.</summary>
internal static class ClusterSection
{
    private static readonly string[] Meetings = ["seeds", "dns", "dir"];

    public static ClusterSettings Read(ConfigReader cluster)
    {
        var (seeds, dns) = (ReadSeeds(cluster), cluster.OptionalString("dns"));
        if (dns is not null && !IsAddress(dns)) cluster.Error("dns", $"must be name:port, got \"{dns}\" - write dns = \"lateral-coordinator:4053\"");
        var settings = new ClusterSettings(
            seeds, dns, cluster.OptionalString("dir"),
            cluster.Duration("patience", TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)),
            cluster.Duration("heartbeat-pause", TimeSpan.FromMilliseconds(500), TimeSpan.FromMinutes(5)),
            cluster.Duration("stable-after", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)));
        string[] given = [.. Meetings.Where(key => key switch { "seeds" => !seeds.IsEmpty, "dns" => dns is not null, _ => settings.Directory is not null })];
        if (given.Length > 1) cluster.Error(given[1], $"is given and so is {given[0]}: nodes that look in different places never meet - keep one, and set the other to {(given[1] == "seeds" ? "[]" : "null")}");
        return settings;
    }

    public static ImmutableSortedDictionary<string, RoleSettings> ReadRoles(ConfigReader roles, TopologySettings topology, JournalSettings journal)
    {
        var cluster = topology.Cluster;
        var read = ImmutableSortedDictionary.CreateBuilder<string, RoleSettings>(StringComparer.Ordinal);
        foreach (var name in NodeRolesNames.Required)
        {
            var role = roles.Section(name);
            read[name] = new RoleSettings(role.Bool("local"), role.Int("nodes", 1, 10_000));
            if (cluster.IsAlone && !read[name].Local)
                role.Error("local", $"= off, but the run has no other process that could be its {name} - say where the others are: topology.cluster {{ seeds = [\"host:port\"] }}, or dns, or dir");
            if (cluster.IsAlone && read[name].Nodes > 1)
                role.Error("nodes", $"= {read[name].Nodes}, but the run has one process only - say where the others are: topology.cluster {{ seeds = [\"host:port\"] }}, or dns, or dir");
        }

        // In a run of one process the ranks are beside the learner, and their role is nobody's.
        var local = roles.Section("rank").Bool("local");
        if (topology.Ranks > 1 && !cluster.IsAlone) read["rank"] = new RoleSettings(local, (topology.Ranks - 2 + topology.RankDevices.Length) / topology.RankDevices.Length);
        if (read["coordinator"].Nodes > 1 && journal.Kind != "postgres")
            roles.Section("coordinator").Error("nodes", $"= {read["coordinator"].Nodes}, but only one process can write the journal's files - write journal.kind = postgres for coordinators that stand by for each other, or nodes = 1");
        else if (read["coordinator"].Nodes > 1 && journal.Schema is null)
            roles.Section("coordinator").Error("nodes", $"= {read["coordinator"].Nodes}, but journal.schema does not say where they all find the run's journal - write journal.schema = lateral_first");
        return read.ToImmutable();
    }

    /// <summary>A list, or one text as it comes from the environment.</summary>
    private static ImmutableArray<string> ReadSeeds(ConfigReader cluster)
    {
        var written = cluster.Raw("seeds") is ConfigScalar { Kind: not ScalarKind.Null } text ? cluster.String("seeds").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries) : [.. cluster.StringList("seeds")];
        foreach (var seed in written.Where(seed => !IsAddress(seed)))
            cluster.Error("seeds", $"must be addresses host:port, got \"{seed}\" - write seeds = [\"10.0.0.1:4053\", \"10.0.0.2:4053\"]");
        return [.. written];
    }

    private static bool IsAddress(string text) =>
        text.LastIndexOf(':') is > 0 and var colon && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65_536;
}
