using System.Net;

namespace Lateral.Core.Security;

/// <summary>A node's certificate and the private authority whose certificates it accepts: paths of PEM files.</summary>
/// <param name="Authority">the authority's certificate, the same on every node</param>
/// <param name="Certificate">this node's own, issued by the authority</param>
/// <param name="Key">its private key, which never leaves the node</param>
public sealed record TlsSettings(string Authority, string Certificate, string Key)
{
    /// <summary>Whether only this machine can reach the host: everything else needs TLS.</summary>
    public static bool IsLoopback(string host) => host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
