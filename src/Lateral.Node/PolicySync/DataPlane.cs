using System.Net.Security;
using Lateral.Core.Security;

namespace Lateral.Node.PolicySync;

/// <summary>Connections of other nodes to the learner's, over which policies and gradients travel.</summary>
internal static class DataPlane
{
    private static readonly TimeSpan Connect = TimeSpan.FromSeconds(10);

    /// <summary>A client without a time-out of its own: every request has its deadline.</summary>
    /// <param name="identity">null = plain HTTP, to a loopback address only</param>
    /// <exception cref="UserException">what is secret would travel unencrypted</exception>
    public static HttpClient Client(Uri server, NodeIdentity? identity)
    {
        if (identity is null && !TlsSettings.IsLoopback(server.Host))
            throw new UserException(ExitCode.Usage, $"policies are not fetched from {server} without TLS, nor gradients sent there: whoever is on the way could read and change them; configure tls {{ ca, certificate, key }}");
        var handler = new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false, ConnectTimeout = Connect, MaxResponseHeadersLength = 16, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30) };
        if (identity is not null)
        {
            handler.SslOptions.ClientCertificates = [identity.Certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => identity.Certificate;
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                identity.Trust.Refusal(certificate, PeerRole.Server, errors) is { } refusal ? throw new CertificateException(refusal) : true;
        }

        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }
}
