using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lateral.Core.Security;

/// <summary>
/// This node's certificate with its key, and whom it trusts: all that mutual TLS takes, for remoting and for policies alike.
/// Invariant: its own certificate would be accepted by itself, so that a wrong file is found here and not by a peer.
/// </summary>
public sealed class NodeIdentity : IDisposable
{
    private readonly X509Certificate2 _authority;

    private NodeIdentity(X509Certificate2 certificate, X509Certificate2 authority)
    {
        Certificate = certificate;
        _authority = authority;
        Trust = new PrivateTrust(authority);
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    public PrivateTrust Trust { get; }

    /// <exception cref="CertificateException">a file is missing or no PEM, key and certificate are no pair, or the authority did not issue the certificate, or it has expired</exception>
    public static NodeIdentity Load(TlsSettings files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var authority = Read("tls.ca", files.Authority, () => X509CertificateLoader.LoadCertificateFromFile(files.Authority));
        if (!File.Exists(files.Key)) throw Missing("tls.key", files.Key);
        var certificate = Read("tls.certificate", files.Certificate, () => Usable(X509Certificate2.CreateFromPemFile(files.Certificate, files.Key)));
        var identity = new NodeIdentity(certificate, authority);
        foreach (var role in new[] { PeerRole.Server, PeerRole.Client })
        {
            if (identity.Trust.Refusal(certificate, role) is not { } refusal) continue;
            identity.Dispose();
            throw new CertificateException($"tls.certificate = {files.Certificate} is of no use with tls.ca = {files.Authority}: {refusal}");
        }

        return identity;
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _authority.Dispose();
    }

    private static X509Certificate2 Read(string key, string path, Func<X509Certificate2> load)
    {
        if (!File.Exists(path)) throw Missing(key, path);
        try
        {
            return load();
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new CertificateException($"{key} = {path} cannot be used: {error.Message} - it has to be PEM, as lateral certs issue writes it, and the key has to belong to the certificate", error);
        }
    }

    private static CertificateException Missing(string key, string path) =>
        new($"{key} = {path} does not exist - make an authority with lateral certs init, then this node's certificate with lateral certs issue");

    /// <summary>Windows takes no key for TLS that exists only in memory as PEM gave it.</summary>
    private static X509Certificate2 Usable(X509Certificate2 fromPem)
    {
        if (!OperatingSystem.IsWindows()) return fromPem;
        using (fromPem) return X509CertificateLoader.LoadPkcs12(fromPem.Export(X509ContentType.Pkcs12), null);
    }
}
