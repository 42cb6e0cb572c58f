using System.Collections.Immutable;
using System.Globalization;

namespace Lateral.Chaos.Deployment;

/// <summary>
/// A network namespace for each node, joined by a bridge in a namespace of its own, so that addresses and names meet nobody else's.
/// Cuts are silent, as in a real network: packets are lost and nobody is told. A one-way cut gives the node wrong hardware
/// addresses of its peers: what it sends arrives nowhere, what they send arrives. Removed by <see cref="Janitor"/>.
/// </summary>
internal sealed class Network
{
    private const string Nowhere = "02:00:00:00:ff:ff";

    private readonly string _prefix;
    private readonly ImmutableArray<string> _nodes;

    private Network(string prefix, ImmutableArray<string> nodes) => (_prefix, _nodes) = (prefix, nodes);

    /// <summary>Every namespace, the hub's too.</summary>
    private IEnumerable<string> Namespaces => [.. _nodes.Select(NamespaceOf), Hub];

    private string Hub => $"{_prefix}-hub";

    /// <returns>null and the reason where this process may not make namespaces</returns>
    public static async Task<(Network? Network, string Reason)> TryCreateAsync(ImmutableArray<string> nodes, Janitor janitor)
    {
        if (!Environment.IsPrivilegedProcess) return (null, "network namespaces need root");
        var network = new Network(string.Create(CultureInfo.InvariantCulture, $"lateral-{Environment.ProcessId}"), nodes);
        try
        {
            foreach (var one in network.Namespaces) janitor.RemoveNamespace(one);
            await network.CreateAsync();
            return (network, "");
        }
        catch (Exception failure) when (failure is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return (null, failure.Message);
        }
    }

    public string NamespaceOf(string node) => $"{_prefix}-{node}";

    public string AddressOf(string node) => $"10.77.0.{Number(node)}";

    /// <summary>The node hears nobody and nobody hears it.</summary>
    public Task IsolateAsync(string node) => IpAsync("-n", Hub, "link", "set", Port(node), "down");

    public Task ReconnectAsync(string node) => IpAsync("-n", Hub, "link", "set", Port(node), "up");

    /// <summary>The node hears the others and they do not hear it.</summary>
    public Task MuteAsync(string node) => ReachAsync(node, _ => Nowhere, "permanent");

    public Task UnmuteAsync(string node) => ReachAsync(node, HardwareOf, "reachable");

    /// <summary>The node's own processes, and theirs.</summary>
    public async Task<IReadOnlyList<int>> ProcessesOfAsync(string node)
    {
        var (code, pids) = await Command.TryAsync("ip", "netns", "pids", NamespaceOf(node));
        return code == 0 ? [.. pids.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(pid => int.Parse(pid, CultureInfo.InvariantCulture))] : [];
    }

    private async Task CreateAsync()
    {
        await IpAsync("netns", "add", Hub);
        await IpAsync("-n", Hub, "link", "add", "bridge", "type", "bridge");
        await IpAsync("-n", Hub, "link", "set", "bridge", "up");
        foreach (var node in _nodes)
        {
            var own = NamespaceOf(node);
            await IpAsync("netns", "add", own);
            await IpAsync("link", "add", Port(node), "netns", Hub, "type", "veth", "peer", "name", "eth0", "address", HardwareOf(node), "netns", own);
            await IpAsync("-n", Hub, "link", "set", Port(node), "master", "bridge", "up");
            await IpAsync("-n", own, "addr", "add", $"{AddressOf(node)}/24", "dev", "eth0");
            await IpAsync("-n", own, "link", "set", "eth0", "up");
            await IpAsync("-n", own, "link", "set", "lo", "up");
        }
    }

    private async Task ReachAsync(string node, Func<string, string> hardware, string state)
    {
        foreach (var peer in _nodes.Where(other => other != node))
            await IpAsync("-n", NamespaceOf(node), "neigh", "replace", AddressOf(peer), "lladdr", hardware(peer), "dev", "eth0", "nud", state);
    }

    private int Number(string node) => 10 + _nodes.IndexOf(node);

    private string Port(string node) => $"port{Number(node)}";

    private string HardwareOf(string node) => $"02:00:00:00:00:{Number(node):x2}";

    private static Task IpAsync(params string[] arguments) => Command.RunAsync("ip", arguments);
}
