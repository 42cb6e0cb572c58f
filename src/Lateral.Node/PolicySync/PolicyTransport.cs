using Lateral.Core.Policies;
using Lateral.Core.Runs;
using Lateral.Core.Security;
using Lateral.Node.Runs;

namespace Lateral.Node.PolicySync;

/// <summary>
/// <c>policies {}</c> put to work, one call for each side: the learner's node serves, every other node caches. A process that can
/// read the run directory needs neither.
/// </summary>
public static class PolicyTransport
{
    /// <summary>The learner's node: its address and token are what the other nodes have to be told.</summary>
    /// <param name="identity">the node's, where <c>tls {}</c> is configured; owned by the caller</param>
    /// <param name="beside">what else is served there</param>
    /// <returns>null where no other node asks: <c>shared-dir</c>, and a run of one process</returns>
    public static async Task<PolicyServer?> ServeAsync(RunSettings settings, RunDirectory directory, NodeIdentity? identity, BesideRequests? beside, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(directory);
        var sync = settings.Policies;
        if (sync.Transport == PolicySyncSettings.SharedDirectory || settings.Topology.Cluster.IsAlone) return null;
        var token = sync.TokenFile is { } file ? PolicyToken.Read(file) : identity is null ? PolicyToken.Draw() : null;
        return await PolicyServer.StartAsync(
            new PublishedPolicies(directory.Policies), new PolicyServerSettings(settings.Topology.Host, sync.Port, sync.Downloads, sync.Deadline, token, identity) { Beside = beside }, cancellation);
    }

    /// <summary>A node without the learner: one cache for all samplers of the process, one folder for all processes of the node.</summary>
    /// <param name="source">where the publisher says that it serves; a configured token wins over its</param>
    public static IPolicyCache Cache(RunSettings settings, PolicySource source, NodeIdentity? identity)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(source);
        var sync = settings.Policies;
        if (source.Address is not { } address) return new LocalPolicyCache(new RunDirectory(Path.GetFullPath(settings.Directory)));
        var (server, token) = (new Uri(address), TokenFor(settings, source));
        // A rollout of the oldest version that may still be trained, those since, and the one that is being fetched.
        return new HttpPolicyCache(new PolicyCacheSettings(server, Folder(settings), settings.MaxStaleness + 2, sync.Stall, sync.Deadline, token, identity));
    }

    /// <summary>What the other nodes are told: the token only where no file on each node holds it.</summary>
    public static PolicySource SourceOf(RunSettings settings, PolicyServer? server)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return server is null ? PolicySource.RunDirectory : new PolicySource(server.Address.ToString(), settings.Policies.TokenFile is null && server.Token is { } token ? new Secret(token.Text) : null);
    }

    /// <summary>What a node shows to the learner's, in whatever it asks for.</summary>
    internal static PolicyToken? TokenFor(RunSettings settings, PolicySource source) =>
        settings.Policies.TokenFile is { } file ? PolicyToken.Read(file) : source.Token is { } told ? PolicyToken.Of(told.Reveal(), "what the learner's node says") : null;

    private static string Folder(RunSettings settings) =>
        Path.Combine(settings.Policies.CacheDirectory ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "lateral", "policies"), settings.UniqueName());
}
