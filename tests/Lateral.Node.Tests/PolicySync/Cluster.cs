using System.Security.Cryptography.X509Certificates;
using Lateral.Core.Security;
using Lateral.Node.Certificates;

namespace Lateral.Node.Tests.PolicySync;

/// <summary>A clock that is off by a constant: what it signs is valid then, not now.</summary>
internal sealed class SkewedClock(TimeSpan off) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + off;
}

/// <summary>An authority in a folder of its own, as old as its certificates may have to be, and certificates of it.</summary>
internal sealed class Cluster : IDisposable
{
    private static readonly SkewedClock LongAgo = new(TimeSpan.FromDays(-900));
    private readonly string _path;

    private Cluster(string path, int days)
    {
        _path = path;
        Authority = new CertificateFolder(path, LongAgo).CreateAuthority("Lateral", days).Certificate;
    }

    public string Authority { get; }

    public static Cluster In(TemporaryFolder folder, string name, int days = 3650) => new(Path.Combine(folder.Path, name), days);

    public TlsSettings Files(string node, params string[] hosts) => Files(node, hosts, TimeProvider.System);

    public NodeIdentity Identity(string node, params string[] hosts) => NodeIdentity.Load(Files(node, hosts));

    /// <summary>With its key, as another authority's node would have it.</summary>
    public X509Certificate2 Certificate(string node) => Read(Files(node));

    /// <summary>With its key; its 825 days are over.</summary>
    public X509Certificate2 Expired(string node) => Read(Files(node, [], LongAgo));

    public void Dispose() => Directory.Delete(_path, recursive: true);

    private static X509Certificate2 Read(TlsSettings files) => X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);

    private TlsSettings Files(string node, string[] hosts, TimeProvider clock)
    {
        var written = new CertificateFolder(_path, clock).Issue(node, hosts.Length == 0 ? ["127.0.0.1", "localhost"] : hosts, 825);
        return new TlsSettings(Authority, written.Certificate, written.Key);
    }
}
