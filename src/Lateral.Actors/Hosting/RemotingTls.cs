using System.Net.Security;
using Akka.Actor.Setup;
using Akka.Event;
using Akka.Remote.Transport.DotNetty;
using Lateral.Core.Security;

namespace Lateral.Actors.Hosting;

/// <summary>Mutual TLS of Akka's remoting: each side shows a certificate and accepts those of the private authority only.</summary>
internal static class RemotingTls
{
    /// <param name="identity">has to live as long as the actor system</param>
    public static Setup Of(NodeIdentity identity) => new DotNettySslSetup(
        identity.Certificate, suppressValidation: false, requireMutualAuthentication: true, validateCertificateHostname: false,
        (certificate, _, peer, errors, log) =>
        {
            // Remoting does not say which side the peer is on: a node's certificate has to be good for both.
            var shown = errors & SslPolicyErrors.RemoteCertificateNotAvailable;
            var refusal = identity.Trust.Refusal(certificate, PeerRole.Server, shown) ?? identity.Trust.Refusal(certificate, PeerRole.Client, shown);
            if (refusal is not null) log.Warning("{0} is not let in: {1}", peer, refusal);
            return refusal is null;
        });
}
