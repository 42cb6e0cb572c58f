using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lateral.Core.Security;

/// <summary>What the other side of a connection does, which its certificate has to allow.</summary>
public enum PeerRole
{
    Server = 0,
    Client = 1,
}

/// <summary>
/// Accepts certificates of one private authority and no others. The machine's own trusted authorities count for nothing: with
/// them, whoever can buy a certificate could join.
/// </summary>
/// <param name="authority">the authority's certificate; owned by the caller</param>
public sealed class PrivateTrust(X509Certificate2 authority)
{
    private const X509ChainStatusFlags Foreign = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid;

    /// <summary>Extended key usage of each side, RFC 5280 section 4.2.1.12. A node is now one, now the other.</summary>
    public const string ServerPurpose = "1.3.6.1.5.5.7.3.1", ClientPurpose = "1.3.6.1.5.5.7.3.2";

    /// <summary>Why a peer is refused, in words for whoever operates it; null where it is accepted.</summary>
    /// <param name="errors">what TLS itself found: of it only a missing certificate and a wrong name count, the chain is judged here</param>
    public string? Refusal(X509Certificate? peer, PeerRole role, SslPolicyErrors errors = SslPolicyErrors.None)
    {
        if (peer is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)) return $"the {Name(role)} showed no certificate - give its node one: lateral certs issue";
        using var copy = peer is X509Certificate2 ? null : X509CertificateLoader.LoadCertificate(peer.Export(X509ContentType.Cert));
        var certificate = copy ?? (X509Certificate2)peer;
        if (Chain(certificate, role) is { } broken) return $"the {Name(role)}'s certificate {certificate.Subject} is refused: {broken}";
        return role == PeerRole.Server && errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
            ? $"the server's certificate {certificate.Subject} is for {Hosts(certificate)} and not for the address it was reached at - issue one with that address: lateral certs issue NODE --host ADDRESS"
            : null;
    }

    private string? Chain(X509Certificate2 certificate, PeerRole role)
    {
        using var chain = new X509Chain
        {
            ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
        };
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(role == PeerRole.Server ? ServerPurpose : ClientPurpose));
        var trusted = chain.Build(certificate);
        foreach (var element in chain.ChainElements) element.Certificate.Dispose();
        if (trusted) return null;
        var flags = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
        return flags.HasFlag(X509ChainStatusFlags.NotTimeValid) ? $"it is valid from {certificate.NotBefore:u} to {certificate.NotAfter:u} only - issue a new one, or set the clock"
            : (flags & Foreign) != X509ChainStatusFlags.NoError ? $"it was not issued by {authority.Subject} - issue it with the authority that tls.ca names"
            : string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim()));
    }

    private static string Name(PeerRole role) => role == PeerRole.Server ? "server" : "client";

    private static string Hosts(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => address.ToString())));
        return string.Join(", ", names.DefaultIfEmpty("no host"));
    }
}
