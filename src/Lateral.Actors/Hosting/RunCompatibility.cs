using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Akka.Cluster;
using Lateral.Actors.Serialization;
using Lateral.Core.Prompts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Hosting;

/// <summary>
/// The handshake: a node shows in its cluster roles which protocol it speaks, which run it is of and what that run's settings
/// are, and one that differs from the coordinator leaves again. Devices, ports, folders and deadlines are a node's own matter.
/// </summary>
internal static class RunCompatibility
{
    private const string Protocol = "protocol-", Run = "run-", Settings = "settings-", Data = "data-", None = "none";

    /// <summary>Beside the names of what the node does.</summary>
    public static ImmutableArray<string> Marks(RunSettings settings) =>
        [$"{Protocol}{MessageSerializer.Protocol}", $"{Run}{settings.Name}", $"{Settings}{HashOf(settings)}", $"{Data}{settings.Data?.Sha256?[..12].ToLowerInvariant() ?? None}"];

    /// <summary>Why the node cannot work with a coordinator that is there; null = it can, or none is there yet.</summary>
    public static string? Refusal(Member self, IEnumerable<Member> members)
    {
        return members.Where(member => member.HasRole("coordinator") && !member.Address.Equals(self.Address))
            .Select(other => Difference(self.Roles, other.Roles) is { } difference ? $"the coordinator at {other.Address.Host}:{other.Address.Port} has {difference}" : null)
            .FirstOrDefault(refusal => refusal is not null);
    }

    /// <summary>The first mark in which two nodes differ, theirs first, and what to do about it; null = they may work together.</summary>
    internal static string? Difference(IReadOnlyCollection<string> ours, IReadOnlyCollection<string> theirs)
    {
        foreach (var (mark, advice) in Advice)
        {
            var (own, other) = (MarkOf(ours, mark), MarkOf(theirs, mark));
            // A node that only scores has read no file.
            if (own != other && !(mark == Data && (own == None || other == None))) return $"{mark[..^1]} {other} and this node {own}: {advice}";
        }

        return null;
    }

    /// <summary>Of everything that decides what is sampled, trained and scored.</summary>
    internal static string HashOf(RunSettings settings)
    {
        var shared = JsonSerializer.SerializeToNode(settings)!.AsObject();
        string[] own =
        [
            nameof(RunSettings.Directory), nameof(RunSettings.Topology), nameof(RunSettings.Journal), nameof(RunSettings.Compute), nameof(RunSettings.AkkaOverrides),
            nameof(RunSettings.Policies), nameof(RunSettings.Tls), nameof(RunSettings.Checkpoint),
        ];
        foreach (var name in own) shared.Remove(name);
        // It has a mark of its own.
        shared[nameof(RunSettings.Data)]?.AsObject().Remove(nameof(DataSettings.Sha256));
        return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes<JsonNode>(shared)))[..12];
    }

    private static (string Mark, string Advice)[] Advice { get; } =
    [
        (Protocol, "run the same version of Lateral on every node"),
        (Run, "start the node with this run's files, or meet elsewhere (topology.cluster)"),
        (Data, "give every node the same data.train and data.eval"),
        (Settings, "start every node with the same files and the same --set; config diff shows where two files differ"),
    ];

    private static string MarkOf(IReadOnlyCollection<string> roles, string mark) => roles.FirstOrDefault(role => role.StartsWith(mark, StringComparison.Ordinal))?[mark.Length..] ?? None;
}
