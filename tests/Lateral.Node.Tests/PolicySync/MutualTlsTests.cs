using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lateral.Core.Policies;
using Lateral.Core.Security;
using Lateral.Node.PolicySync;

namespace Lateral.Node.Tests.PolicySync;

/// <summary>Mutual TLS on real connections: nodes of one authority talk, and nobody else gets as far as a request.</summary>
public sealed class MutualTlsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SyncFixture _sync = new();
    private readonly Cluster _cluster;
    private readonly NodeIdentity _learner;

    public MutualTlsTests()
    {
        _cluster = Cluster.In(_folder, "certs");
        _learner = _cluster.Identity("learner");
    }

    public void Dispose()
    {
        _learner.Dispose();
        _cluster.Dispose();
        _sync.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Nodes_of_one_authority_must_reach_each_other_without_a_token()
    {
        var policy = _sync.Publish(1, 5 << 20);
        await using var server = await ServeAsync(_learner);
        Assert.Equal("https", server.Address.Scheme);
        using var sampler = _cluster.Identity("sampler");
        using var cache = Cache(server, sampler);
        Assert.Equal(policy.Hash, SyncFixture.HashOf(await cache.FetchAsync(policy, default)));
    }

    [Fact]
    public async Task Everybody_else_must_be_refused_and_the_server_must_stay_up()
    {
        var policy = _sync.Publish(1, 1000);
        using var other = Cluster.In(_folder, "other");
        using var expired = _cluster.Expired("past");
        using var stranger = other.Certificate("sampler");
        using var selfSigned = SelfSigned();
        await using var server = await ServeAsync(_learner);
        foreach (var certificate in new[] { null, stranger, selfSigned, expired })
        {
            using var client = Client(certificate);
            await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri(server.Address, "/v1/policy?version=1&kind=full")));
        }

        using (var plaintext = new HttpClient())
            await Assert.ThrowsAsync<HttpRequestException>(() => plaintext.GetAsync(new Uri($"http://127.0.0.1:{server.Address.Port}/v1/policy?version=1&kind=full")));
        Assert.Empty(_sync.Answers);
        using var sampler = _cluster.Identity("sampler");
        using var cache = Cache(server, sampler);
        Assert.Equal(policy.Hash, SyncFixture.HashOf(await cache.FetchAsync(policy, default)));
    }

    [Fact]
    public async Task Server_of_another_authority_must_be_refused_at_once()
    {
        var policy = _sync.Publish(1, 1000);
        using var other = Cluster.In(_folder, "other");
        using var impostor = other.Identity("learner");
        await using var server = await ServeAsync(impostor);
        using var sampler = _cluster.Identity("sampler");
        using var cache = Cache(server, sampler);
        var refused = await Assert.ThrowsAsync<PolicyUnavailableException>(() => cache.FetchAsync(policy, default));
        Assert.Contains("the server's certificate CN=learner is refused: it was not issued by CN=Lateral certificate authority", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_sync.Retries);
    }

    [Fact]
    public async Task Server_with_another_nodes_certificate_must_be_refused_by_name()
    {
        var policy = _sync.Publish(1, 1000);
        using var elsewhere = _cluster.Identity("elsewhere", "node7.example.org");
        await using var server = await ServeAsync(elsewhere);
        using var sampler = _cluster.Identity("sampler");
        using var cache = Cache(server, sampler);
        var refused = await Assert.ThrowsAsync<PolicyUnavailableException>(() => cache.FetchAsync(policy, default));
        Assert.Contains("is for node7.example.org and not for the address it was reached at", refused.Message, StringComparison.Ordinal);
    }

    private Task<PolicyServer> ServeAsync(NodeIdentity identity) => _sync.ServeAsync(settings => settings with { Token = null, Identity = identity });

    private HttpPolicyCache Cache(PolicyServer server, NodeIdentity identity) => _sync.Cache(server.Address, settings => settings with { Token = null, Identity = identity });

    private static HttpClient Client(X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        if (certificate is not null) handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        return new HttpClient(handler);
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=sampler", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
    }
}
