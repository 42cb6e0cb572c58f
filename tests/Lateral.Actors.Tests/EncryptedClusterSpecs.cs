using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lateral.Core.Runs;
using Lateral.Core.Security;

namespace Lateral.Actors.Tests;

/// <summary>Remoting under mutual TLS: nodes of one private authority form a cluster, everybody else stays outside.</summary>
public sealed class EncryptedClusterSpecs : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lateral-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Nodes_of_one_authority_must_train_together()
    {
        using var authority = Authority("ours");
        var engines = new TestEngines();
        await using var first = await RunHost.StartAsync(Settings("first", Issue(authority, "first")), engines.ToRunEngines(), node: new RunNode(NodeRoles.All & ~NodeRoles.Sampler, []));
        await using var second = await RunHost.StartAsync(Settings("second", Issue(authority, "second")), engines.ToRunEngines(), node: new RunNode(NodeRoles.Sampler, [first.Address]) { Name = "far" });
        await first.Completion.WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Equal([1, 2, 3, 4, 5], engines.Batches.Select(batch => batch.Step));
    }

    [Fact]
    public async Task Node_without_a_certificate_of_the_authority_must_stay_outside()
    {
        using var authority = Authority("ours");
        using var foreign = Authority("theirs");
        var engines = new TestEngines();
        await using var first = await RunHost.StartAsync(Settings("first", Issue(authority, "first")), engines.ToRunEngines(), node: new RunNode(NodeRoles.All & ~NodeRoles.Sampler, []));
        var outsiders = new[] { Settings("foreign", Issue(foreign, "foreign")), Settings("plain", null) }
            .Select(settings => settings with { Topology = settings.Topology with { Cluster = ClusterSettings.Alone with { Patience = TimeSpan.FromSeconds(15) } } })
            .Select(settings => RunHost.StartAsync(settings, engines.ToRunEngines(), node: new RunNode(NodeRoles.Sampler, [first.Address]) { Name = "far" })).ToArray();
        // Each gives up at its own deadline; the node that refuses them goes on all the while.
        foreach (var outsider in outsiders) await Assert.ThrowsAsync<RunHostException>(() => outsider);
        Assert.DoesNotContain((await first.StatusAsync()).Parts, part => part.Part.Contains("far", StringComparison.Ordinal));
        Assert.Contains("was not issued by CN=ours", Log("first"), StringComparison.Ordinal);
        Assert.Empty(engines.Sampled);
    }

    /// <summary>As when a node dies while others are just connecting to it: Akka would end them all.</summary>
    [Fact]
    public async Task Node_that_has_been_let_in_must_survive_a_handshake_that_breaks_and_still_leave_in_order()
    {
        using var authority = Authority("ours");
        var node = await ClusterNode.JoinAsync(Settings("first", Issue(authority, "first")), new RunNode(NodeRoles.Coordinator, []));
        using var dying = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        dying.Start();
        var hangingUp = Task.Run(async () =>
        {
            while (true) (await dying.AcceptTcpClientAsync()).Dispose();
        });
        var port = ((IPEndPoint)dying.LocalEndpoint).Port;
        node.System.ActorSelection($"akka.ssl.tcp://lateral@127.0.0.1:{port}/user/nobody").Tell(new Akka.Actor.Identify(1), Akka.Actor.ActorRefs.NoSender);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!Log("first").Contains("this one goes on", StringComparison.Ordinal)) await Task.Delay(50, deadline.Token);
        await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.False(node.Removed.IsCompleted);
        Assert.Equal(Akka.Cluster.MemberStatus.Up, Akka.Cluster.Cluster.Get(node.System).SelfMember.Status);
        await node.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(await node.Removed);
        dying.Stop();
        await Assert.ThrowsAnyAsync<Exception>(() => hangingUp);
    }

    private string Log(string node)
    {
        using var reader = new StreamReader(new FileStream(Path.Combine(_directory, node, "logs", "lateral.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private RunSettings Settings(string node, TlsSettings? tls)
    {
        var directory = Path.Combine(_directory, node);
        Directory.CreateDirectory(Path.Combine(directory, "logs"));
        return TestEngines.Settings(directory, steps: 5) with { Tls = tls };
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
    }

    private TlsSettings Issue(X509Certificate2 authority, string node)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={node}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(PrivateTrust.ServerPurpose), new Oid(PrivateTrust.ClientPurpose)], false));
        using var issued = request.Create(authority, DateTimeOffset.UnixEpoch.AddYears(51), DateTimeOffset.UnixEpoch.AddYears(99), RandomNumberGenerator.GetBytes(8));
        var path = Path.Combine(_directory, $"{authority.Subject[3..]}-{node}");
        File.WriteAllText($"{path}.ca.pem", authority.ExportCertificatePem());
        File.WriteAllText($"{path}.pem", issued.ExportCertificatePem());
        File.WriteAllText($"{path}.key", key.ExportPkcs8PrivateKeyPem());
        return new TlsSettings($"{path}.ca.pem", $"{path}.pem", $"{path}.key");
    }
}
