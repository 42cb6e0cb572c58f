using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lateral.Core.Security;

namespace Lateral.Node.Certificates;

/// <summary>A certificate and its private key, both as PEM text.</summary>
internal sealed record PemPair(string Certificate, string Key, DateTimeOffset Expires)
{
    public override string ToString() => $"certificate until {Expires:u}";
}

/// <summary>A private authority for one cluster: ECDSA P-256, certificates for both sides of mutual TLS. RFC 5280.</summary>
internal static class CertificateAuthority
{
    /// <summary>Clocks of nodes differ: a certificate is valid a little before it was made, and its authority before that.</summary>
    private static readonly TimeSpan ClockDifference = TimeSpan.FromHours(1);

    public static PemPair Create(string name, int days, TimeProvider clock)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request($"{name} certificate authority", key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = clock.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now - 2 * ClockDifference, now.AddDays(days));
        return new PemPair(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), new DateTimeOffset(certificate.NotAfter));
    }

    /// <param name="authority">with its private key</param>
    /// <param name="hosts">names and addresses that other nodes reach this one at</param>
    /// <param name="days">at most what is left of the authority's own</param>
    public static PemPair Issue(X509Certificate2 authority, string node, IReadOnlyList<string> hosts, int days, TimeProvider clock)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(node, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(PrivateTrust.ServerPurpose), new Oid(PrivateTrust.ClientPurpose)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        request.CertificateExtensions.Add(Names(hosts));
        var now = clock.GetUtcNow();
        var (begin, end) = (Latest(now - ClockDifference, new DateTimeOffset(authority.NotBefore)), Earliest(now.AddDays(days), new DateTimeOffset(authority.NotAfter)));
        using var certificate = request.Create(authority, begin, end, Serial());
        return new PemPair(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), new DateTimeOffset(certificate.NotAfter));
    }

    private static CertificateRequest Request(string commonName, ECDsa key)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(commonName);
        return new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
    }

    private static X509Extension Names(IEnumerable<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        }

        return names.Build();
    }

    /// <summary>16 random bytes; the first bit is off, because a serial number is positive.</summary>
    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    private static DateTimeOffset Latest(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static DateTimeOffset Earliest(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;
}
