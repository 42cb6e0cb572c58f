using System.Net;
using System.Net.Http.Headers;
using Lateral.Core.Policies;
using Lateral.Node.PolicySync;

namespace Lateral.Node.Tests.PolicySync;

/// <summary>A policy crosses a real connection once, whole, and to nobody else.</summary>
public sealed class PolicySyncTests : IDisposable
{
    private const int MiB = 1 << 20;
    private readonly SyncFixture _sync = new();

    public void Dispose() => _sync.Dispose();

    [Fact]
    public async Task Policy_must_arrive_whole_and_once_for_all_samplers_of_a_node()
    {
        var policy = _sync.Publish(17, 100 * MiB + 12345);
        await using var server = await _sync.ServeAsync();
        // Two caches on one folder are two processes of a node.
        using var one = _sync.Cache(server.Address);
        using var other = _sync.Cache(server.Address);
        var paths = await Task.WhenAll(Enumerable.Range(0, 8).Select(sampler => (sampler % 2 == 0 ? one : other).FetchAsync(policy, default)));
        var path = Assert.Single(paths.Distinct());
        Assert.Equal(policy.Hash, SyncFixture.HashOf(path));
        Assert.Equal((17, 200, policy.Bytes), Flat(Assert.Single(await _sync.AnswersAsync(1))));
        Assert.Equal((17, policy.Bytes, 1), Assert.Single(_sync.Downloads) is var downloaded ? (downloaded.Version, downloaded.Received, downloaded.Attempts) : default);
        Assert.Equal([Path.GetFileName(path)], Directory.EnumerateFiles(_sync.CacheFolder).Select(Path.GetFileName));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task Requests_out_of_order_and_repeated_must_each_give_their_own_version()
    {
        var (five, seven) = (_sync.Publish(5, 3 * MiB), _sync.Publish(7, 2 * MiB));
        var adapter = _sync.Publish(7, 1000, PayloadKind.Adapter);
        await using var server = await _sync.ServeAsync();
        using var cache = _sync.Cache(server.Address);
        foreach (var policy in new[] { seven, five, seven, adapter, five, adapter }) Assert.Equal(policy.Hash, SyncFixture.HashOf(await cache.FetchAsync(policy, default)));
        Assert.Equal([(7, 200, seven.Bytes), (5, 200, five.Bytes), (7, 200, adapter.Bytes)], (await _sync.AnswersAsync(3)).Select(Flat));
    }

    [Fact]
    public async Task Caller_that_gives_up_must_not_end_the_download_of_the_others()
    {
        var policy = _sync.Publish(1, 40 * MiB);
        await using var server = await _sync.ServeAsync();
        using var cache = _sync.Cache(server.Address);
        using var impatient = new CancellationTokenSource();
        var (patient, gone) = (cache.FetchAsync(policy, default), cache.FetchAsync(policy, impatient.Token));
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        Assert.Equal(policy.Hash, SyncFixture.HashOf(await patient));
        Assert.Single(await _sync.AnswersAsync(1));
    }

    [Fact]
    public async Task Cache_must_keep_only_the_newest_versions_and_the_one_asked_for()
    {
        var policies = Enumerable.Range(1, 4).Select(version => _sync.Publish(version, MiB)).ToList();
        await using var server = await _sync.ServeAsync();
        using var cache = _sync.Cache(server.Address);
        foreach (var policy in policies) await cache.FetchAsync(policy, default);
        Assert.Equal(["v3", "v4"], Kept());
        Assert.Equal(policies[0].Hash, SyncFixture.HashOf(await cache.FetchAsync(policies[0], default)));
        Assert.Equal(["v1", "v3", "v4"], Kept());
        await cache.FetchAsync(policies[3], default);
        Assert.Equal(["v3", "v4"], Kept());

        List<string> Kept() => [.. Directory.EnumerateFiles(_sync.CacheFolder).Select(file => Path.GetFileName(file)[..2]).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Wrong_token_must_be_refused_and_appear_nowhere()
    {
        var policy = _sync.Publish(1, MiB);
        var wrong = PolicyToken.Draw();
        await using var server = await _sync.ServeAsync();
        using var cache = _sync.Cache(server.Address, settings => settings with { Token = wrong });
        var refused = await Assert.ThrowsAsync<PolicyUnavailableException>(() => cache.FetchAsync(policy, default));
        Assert.Contains("refuses this node's token - the file of policies.token-file has to hold the same token", refused.Message, StringComparison.Ordinal);
        using var client = new HttpClient { BaseAddress = server.Address };
        foreach (var header in new[] { null, "Bearer", "Bearer ", $"Basic {_sync.Token.Text}", $"Bearer {_sync.Token.Text}x", $"Bearer {_sync.Token.Text[..^1]}" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/policy?version=1&kind=full");
            if (header is not null) request.Headers.TryAddWithoutValidation("Authorization", header);
            using var response = await client.SendAsync(request);
            Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (response.StatusCode, Assert.Single(response.Headers.WwwAuthenticate).Scheme));
        }

        Assert.All(_sync.Answers, answer => Assert.Equal((null, 401, 0), (answer.Version, answer.Status, answer.Length)));
        // At every level the server knows: so the log is there, and the tokens are not.
        Assert.NotEmpty(_sync.ServerLog);
        string[] words = [refused.ToString(), $"{server.Token} {wrong}", .. _sync.Retries, .. _sync.ServerLog];
        Assert.All(words, text => Assert.True(!text.Contains(wrong.Text, StringComparison.OrdinalIgnoreCase) && !text.Contains(_sync.Token.Text, StringComparison.OrdinalIgnoreCase), text));
    }

    [Fact]
    public async Task Version_that_is_not_kept_must_be_refused_with_those_that_are()
    {
        var stale = _sync.Publish(3, 1000);
        File.Delete(Path.Combine(_sync.Policies, "v3.safetensors"));
        (_, _) = (_sync.Publish(5, 1000), _sync.Publish(6, 1000));
        await using var server = await _sync.ServeAsync();
        using var cache = _sync.Cache(server.Address);
        var refused = await Assert.ThrowsAsync<PolicyUnavailableException>(() => cache.FetchAsync(stale, default));
        Assert.Contains($"policy v3: {server.Address} says: policy v3 is not kept any more, or never was; v5 to v6 are - ask for a newer policy", refused.Message, StringComparison.Ordinal);
        Assert.Equal((3, 404, 0L), Flat(Assert.Single(await _sync.AnswersAsync(1))));
        Assert.Empty(_sync.Retries);
    }

    [Theory]
    [InlineData("/v1/policy", 400)]
    [InlineData("/v1/policy?version=1", 400)]
    [InlineData("/v1/policy?version=1&kind=everything", 400)]
    [InlineData("/v1/policy?version=-1&kind=full", 400)]
    [InlineData("/v1/policy?version=%2B1&kind=full", 400)]
    [InlineData("/v1/policy?version=99999999999&kind=full", 400)]
    [InlineData("/v1/policy?version=1&version=2&kind=full", 400)]
    [InlineData("/v1/policy?version=../../secret&kind=full", 400)]
    [InlineData("/v1/policy?version=1&kind=../../secret", 400)]
    [InlineData("/v1/policy/../../secret.safetensors?version=1&kind=full", 404)]
    [InlineData("/v1/%2e%2e/policies/v1.safetensors", 404)]
    [InlineData("/policies/v1.safetensors", 404)]
    [InlineData("/", 404)]
    [InlineData("/v1/policy?version=2&kind=full", 404)]
    [InlineData("/v1/policy?version=9&kind=full", 404)]
    [InlineData("/v1/policy?version=1&kind=full", 200)]
    public async Task Server_must_give_nothing_but_published_files_by_number(string path, int status)
    {
        _sync.Publish(1, 1000);
        File.WriteAllText(Path.Combine(_sync.Policies, "..", "secret.safetensors"), "secret");
        // A link out of the folder, and what a writer has not finished.
        if (!OperatingSystem.IsWindows()) File.CreateSymbolicLink(Path.Combine(_sync.Policies, "v9.safetensors"), "../secret.safetensors");
        File.WriteAllText(Path.Combine(_sync.Policies, ".v2.safetensors.tmp"), "half");
        await using var server = await _sync.ServeAsync();
        using var client = Client(server);
        using var response = await client.GetAsync(path);
        Assert.Equal(status, (int)response.StatusCode);
        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(status == 200, body.Length == 1000);
        Assert.DoesNotContain("secret", System.Text.Encoding.Latin1.GetString(status == 200 ? [] : body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_must_send_the_range_that_is_asked_for()
    {
        var policy = _sync.Publish(1, 1000);
        var content = await File.ReadAllBytesAsync(Path.Combine(_sync.Policies, "v1.safetensors"));
        await using var server = await _sync.ServeAsync();
        using var client = Client(server);
        var tag = new EntityTagHeaderValue($"\"{policy.Hash}\"");
        await AssertAsync(new RangeHeaderValue(10, 19), tag, 206, content[10..20]);
        await AssertAsync(new RangeHeaderValue(990, null), tag, 206, content[990..]);
        await AssertAsync(new RangeHeaderValue(1000, null), tag, 416, []);
        await AssertAsync(new RangeHeaderValue(10, 19), new EntityTagHeaderValue("\"other\""), 200, content);
        await AssertAsync(null, null, 200, content);

        async Task AssertAsync(RangeHeaderValue? range, EntityTagHeaderValue? ifRange, int status, byte[] expected)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/policy?version=1&kind=full");
            request.Headers.Range = range;
            if (ifRange is not null) request.Headers.IfRange = new RangeConditionHeaderValue(ifRange);
            using var response = await client.SendAsync(request);
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal(expected, await response.Content.ReadAsByteArrayAsync());
            if (status != 416) Assert.Equal(tag, response.Headers.ETag);
            if (status == 206) Assert.Equal((range!.Ranges.Single().From, 1000), (response.Content.Headers.ContentRange!.From, response.Content.Headers.ContentRange.Length));
        }
    }

    [Fact]
    public async Task Announced_hash_must_be_served_until_the_file_changes()
    {
        var policy = _sync.Publish(1, 1000);
        var published = new PublishedPolicies(_sync.Policies);
        // A hash that no reading of the file gives shows that it was not read.
        published.Announce(policy with { Hash = new string('a', 64) });
        Assert.Equal(new string('a', 64), await HashAsync());
        var again = _sync.Publish(1, 1001);
        Assert.Equal(again.Hash, await HashAsync());

        async Task<string> HashAsync()
        {
            var opened = (await published.OpenAsync(1, PayloadKind.Full, default))!;
            await using (opened.Content) return opened.Hash;
        }
    }

    [Fact]
    public async Task Manifest_that_this_program_does_not_understand_must_be_refused()
    {
        var policy = _sync.Publish(1, 1000);
        await using var server = await _sync.ServeAsync();
        using var cache = _sync.Cache(server.Address);
        foreach (var (wrong, why) in new[]
        {
            (policy with { Protocol = 2 }, "protocol 2 and this node 1"), (policy with { Kind = (PayloadKind)7 }, "of kind 7"),
            (policy with { Hash = "../../../etc/passwd" }, "damaged"), (policy with { Bytes = 0 }, "damaged"), (policy with { Version = -1 }, "damaged"),
        })
            Assert.Contains(why, (await Assert.ThrowsAsync<PolicyUnavailableException>(() => cache.FetchAsync(wrong, default))).Message, StringComparison.Ordinal);
        Assert.Empty(_sync.Answers);
    }

    [Fact]
    public async Task Nothing_must_be_served_or_fetched_in_the_open()
    {
        await Refused("policies are not served on 0.0.0.0 without TLS", () => _sync.ServeAsync(settings => settings with { Host = "0.0.0.0" }));
        await Refused("policies are not served to everybody", () => _sync.ServeAsync(settings => settings with { Token = null }));
        await Refused("policies are not fetched from http://10.0.0.7:5000/ without TLS", () => Task.Run(() => _sync.Cache(new Uri("http://10.0.0.7:5000"))));
        await using var server = await _sync.ServeAsync();
        await Refused($"port {server.Address.Port} on 127.0.0.1 is in use; set policies.port = 0", () => _sync.ServeAsync(settings => settings with { Port = server.Address.Port }));

        static async Task Refused(string why, Func<Task> start) => Assert.Contains(why, (await Assert.ThrowsAsync<UserException>(start)).Message, StringComparison.Ordinal);
    }

    private static (int?, int, long) Flat(PolicyAnswered answer) => (answer.Version, answer.Status, answer.Length);

    private HttpClient Client(PolicyServer server) => new() { BaseAddress = server.Address, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", _sync.Token.Text) } };
}
