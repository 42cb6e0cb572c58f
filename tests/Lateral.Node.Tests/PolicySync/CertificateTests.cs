using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Lateral.Core.Security;
using Lateral.Node.Certificates;

namespace Lateral.Node.Tests.PolicySync;

/// <summary>Who is let in is decided by one private authority, and by nothing else.</summary>
public sealed class CertificateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(PeerRole.Server)]
    [InlineData(PeerRole.Client)]
    public void Trust_must_accept_its_own_authority_and_nothing_else(PeerRole role)
    {
        using var authority = Cluster.In(_folder, "one");
        using var other = Cluster.In(_folder, "other");
        using var own = authority.Identity("node");
        using var stranger = other.Certificate("node");
        using var past = authority.Expired("past");
        using var selfSigned = SelfSigned();
        Assert.Null(own.Trust.Refusal(own.Certificate, role));
        // TLS itself cannot know the authority, and its opinion of the chain does not count.
        Assert.Null(own.Trust.Refusal(own.Certificate, role, SslPolicyErrors.RemoteCertificateChainErrors));
        // Both authorities have the same name.
        Assert.Contains("was not issued by CN=Lateral certificate authority", own.Trust.Refusal(stranger, role), StringComparison.Ordinal);
        Assert.Contains("was not issued by", own.Trust.Refusal(selfSigned, role), StringComparison.Ordinal);
        Assert.Contains("showed no certificate", own.Trust.Refusal(null, role), StringComparison.Ordinal);
        Assert.Contains("only - issue a new one, or set the clock", own.Trust.Refusal(past, role), StringComparison.Ordinal);
    }

    [Fact]
    public void Name_that_the_certificate_does_not_have_must_be_refused_for_servers()
    {
        using var cluster = Cluster.In(_folder, "one");
        using var node = cluster.Identity("node", "node7.example.org", "10.0.0.7");
        var refusal = node.Trust.Refusal(node.Certificate, PeerRole.Server, SslPolicyErrors.RemoteCertificateNameMismatch);
        Assert.Contains("is for node7.example.org, 10.0.0.7 and not for the address it was reached at", refusal, StringComparison.Ordinal);
        // A client has no name to be reached at.
        Assert.Null(node.Trust.Refusal(node.Certificate, PeerRole.Client, SslPolicyErrors.RemoteCertificateNameMismatch));
    }

    [Fact]
    public void Identity_must_name_the_file_that_is_wrong()
    {
        using var cluster = Cluster.In(_folder, "one");
        using var other = Cluster.In(_folder, "other");
        var (mine, theirs) = (cluster.Files("node"), other.Files("node"));
        Refused("tls.ca = ", "does not exist - make an authority with lateral certs init", mine with { Authority = "nowhere.crt" });
        Refused("tls.key = ", "does not exist", mine with { Key = "nowhere.key" });
        Refused("tls.certificate = ", "cannot be used: ", mine with { Key = theirs.Key });
        Refused("tls.certificate = ", "is of no use with tls.ca = ", mine with { Authority = theirs.Authority });
        Refused("tls.ca = ", "cannot be used: ", mine with { Authority = _folder.File("text.crt", "no certificate") });

        static void Refused(string key, string why, TlsSettings files)
        {
            var error = Assert.Throws<CertificateException>(() => NodeIdentity.Load(files));
            Assert.StartsWith(key, error.Message, StringComparison.Ordinal);
            Assert.Contains(why, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Commands_must_make_certificates_that_a_node_can_use()
    {
        var folder = Path.Combine(_folder.Path, "certs");
        var (code, text, _) = await Shell.RunAsync("certs", "init", "--dir", folder);
        Assert.Equal(0, code);
        Assert.Contains($"certs issue NODE --host ADDRESS --dir {folder}", text, StringComparison.Ordinal);
        var (issued, json, _) = await Shell.RunAsync("certs", "issue", "learner", "--host", "127.0.0.1", "--host", "learner.example.org", "--dir", folder, "--days", "30", "--json");
        Assert.Equal(0, issued);
        var files = JsonElement.Parse(json);
        var tls = new TlsSettings(files.GetProperty("authority").GetString()!, files.GetProperty("certificate").GetString()!, files.GetProperty("key").GetString()!);
        using var identity = NodeIdentity.Load(tls);
        Assert.Equal(30, (identity.Certificate.NotAfter - identity.Certificate.NotBefore).Days);
        Assert.Equal((256, "CN=learner"), (identity.Certificate.GetECDsaPublicKey()!.KeySize, identity.Certificate.Subject));
        Assert.True(identity.Certificate.MatchesHostname("learner.example.org"));
        Assert.True(identity.Certificate.MatchesHostname("127.0.0.1"));
        Assert.False(identity.Certificate.MatchesHostname("127.0.0.2"));
        foreach (var file in Directory.EnumerateFiles(folder))
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        var (_, human, _) = await Shell.RunAsync("certs", "issue", "sampler", "--host", "::1", "--dir", folder);
        Assert.Contains($"tls {{ ca = {JsonSerializer.Serialize(tls.Authority)}, certificate = ", human, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_must_overwrite_nothing_and_refuse_names_that_are_none()
    {
        var folder = Path.Combine(_folder.Path, "certs");
        await Refused("holds no authority", "issue", "learner", "--host", "a");
        Assert.Equal(0, (await Shell.RunAsync("certs", "init", "--dir", folder)).Code);
        Assert.Equal(0, (await Shell.RunAsync("certs", "issue", "learner", "--host", "a", "--dir", folder)).Code);
        var before = Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllText).ToList();
        await Refused("ca.crt exists and is not overwritten", "init");
        await Refused("learner.crt exists and is not overwritten", "issue", "learner", "--host", "b");
        await Refused("'ca' is no name for a node", "issue", "ca", "--host", "b");
        await Refused("'../x' is no name for a node", "issue", "../x", "--host", "b");
        await Refused("--host http://b:1: neither an IP address nor a host name", "issue", "x", "--host", "http://b:1");
        await Refused("Option '--host' is required", "issue", "x");
        await Refused("--days must be from 1 to 36500", "issue", "x", "--host", "b", "--days", "0");
        Assert.Equal(before, Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllText));

        async Task Refused(string why, params string[] arguments)
        {
            var (code, _, error) = await Shell.RunAsync(["certs", .. arguments, "--dir", folder]);
            Assert.Equal(2, code);
            Assert.Contains(why, error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Certificate_must_not_outlive_its_authority()
    {
        using var cluster = Cluster.In(_folder, "short", days: 910);
        using var node = cluster.Identity("node");
        using var authority = X509CertificateLoader.LoadCertificateFromFile(cluster.Authority);
        Assert.Equal(authority.NotAfter, node.Certificate.NotAfter);
        var late = new CertificateFolder(Path.GetDirectoryName(cluster.Authority)!, new SkewedClock(TimeSpan.FromDays(11)));
        Assert.Contains("expired at", Assert.Throws<UserException>(() => late.Issue("late", ["a"], 1)).Message, StringComparison.Ordinal);
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=Lateral certificate authority", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
    }
}
