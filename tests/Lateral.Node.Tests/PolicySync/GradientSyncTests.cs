using System.Net;
using System.Net.Http.Headers;
using Lateral.Core.Learning;
using Lateral.Node.Gradients;
using Lateral.Node.PolicySync;

namespace Lateral.Node.Tests.PolicySync;

/// <summary>A rank's gradient crosses a real connection whole, from those that may, while somebody waits for it.</summary>
public sealed class GradientSyncTests : IDisposable
{
    private const int Length = 300_001;
    private static readonly GradientKey Key = new(2, 18, 1);

    private readonly SyncFixture _sync = new();
    private readonly SharedGradients _shared = new(2, TimeSpan.FromMinutes(1), TimeProvider.System);

    public void Dispose() => _sync.Dispose();

    [Fact]
    public async Task Gradient_and_what_is_said_of_it_must_arrive_to_the_bit()
    {
        await using var server = await ServeAsync();
        var round = Begin(shards: 2);
        using var sink = new HttpGradientSink(server.Address, _sync.Token, null);
        var reports = new[] { new ShardReport(512, [.. Enumerable.Range(0, 20_000).Select(i => new ScoredUnit(i, Math.Sqrt(i), 1.0 / (i + 1), i % 3 == 0, double.NaN))]), new ShardReport(256, []) };
        foreach (var shard in new[] { 1, 0 }) Assert.True(await sink.SendAsync(Key, shard, Gradient(shard), reports[shard], default));
        Assert.Null(await round.NextAsync(default));
        var sum = new float[Length];
        var arrived = round.Total(sum);
        Assert.Equal(reports[0].Scored.AsEnumerable(), arrived[0].Scored.AsEnumerable());
        Assert.Equal([512, 256], arrived.Select(report => report.Tokens));
        Assert.Equal(Gradient(0).Zip(Gradient(1), (a, b) => a + b), sum);
    }

    [Fact]
    public async Task Gradient_that_nobody_waits_for_must_be_told_apart_from_one_that_is_wrong()
    {
        await using var server = await ServeAsync();
        using var sink = new HttpGradientSink(server.Address, _sync.Token, null);
        Assert.False(await sink.SendAsync(Key, 0, Gradient(0), Report, default));
        Begin(shards: 2);
        Assert.False(await sink.SendAsync(Key with { Epoch = 1 }, 0, Gradient(0), Report, default));
        Assert.True(await sink.SendAsync(Key, 0, Gradient(0), Report, default));
        Assert.False(await sink.SendAsync(Key, 0, Gradient(0), Report, default));
        Assert.Contains("not one of this model, which has 300,001", (await Assert.ThrowsAsync<IOException>(() => sink.SendAsync(Key, 1, new float[7], Report, default))).Message, StringComparison.Ordinal);
        Assert.Contains("has shards 0 to 1, not 2", (await Assert.ThrowsAsync<IOException>(() => sink.SendAsync(Key, 2, Gradient(0), Report, default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asker_without_the_runs_token_must_be_refused_and_a_learner_that_is_gone_be_said()
    {
        Uri address;
        await using (var server = await ServeAsync())
        {
            address = server.Address;
            Begin(shards: 1);
            using var stranger = new HttpGradientSink(address, PolicyToken.Draw(), null);
            Assert.Contains("401 the token is missing or another run's", (await Assert.ThrowsAsync<IOException>(() => stranger.SendAsync(Key, 0, Gradient(0), Report, default))).Message, StringComparison.Ordinal);
        }

        using var sink = new HttpGradientSink(address, _sync.Token, null);
        Assert.Contains("did not reach the learner's node", (await Assert.ThrowsAsync<IOException>(() => sink.SendAsync(Key, 0, Gradient(0), Report, default))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "epoch, step, update and shard are numbers")]
    [InlineData("epoch=2&step=18&update=1&shard=-1", "epoch, step, update and shard are numbers")]
    [InlineData("epoch=2&step=18&update=1&shard=0&shard=1", "epoch, step, update and shard are numbers")]
    [InlineData("epoch=2&step=18&update=1&shard=0", "damaged on the way")]
    public async Task Request_that_is_malformed_or_damaged_must_be_refused_and_the_server_go_on(string query, string why)
    {
        await using var server = await ServeAsync();
        var round = Begin(shards: 1);
        using var http = new HttpClient();
        using var body = new MemoryStream();
        await GradientFormat.WriteAsync(body, Gradient(0), Report, default);
        var bytes = body.ToArray();
        Assert.Equal(GradientFormat.Bytes(Length, Report.Scored.Length), bytes.Length);
        bytes[^100] ^= 1;
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(server.Address, $"{GradientFormat.Path}?{query}")) { Content = new ByteArrayContent(bytes) };
        request.Headers.ExpectContinue = true;
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _sync.Token.Text);
        using var response = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(why, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var sink = new HttpGradientSink(server.Address, _sync.Token, null);
        Assert.True(await sink.SendAsync(Key, 0, Gradient(0), Report, default));
        Assert.Null(await round.NextAsync(default));
    }

    [Fact]
    public async Task Body_larger_than_any_gradient_must_be_refused_before_it_is_read()
    {
        await using var server = await ServeAsync();
        Begin(shards: 1);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Put, GradientFormat.Address(server.Address, Key, 0)) { Content = new ByteArrayContent([1, 2, 3]) };
        request.Content.Headers.ContentLength = 1L << 40;
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _sync.Token.Text);
        request.Headers.ExpectContinue = true;
        using var response = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    private static ShardReport Report { get; } = new(64, [new ScoredUnit(1, .5, 1, false, -.25)]);

    private static float[] Gradient(int shard) => [.. Enumerable.Range(0, Length).Select(i => (i + 1) * (shard + 1) / 3f)];

    private IGradientRound Begin(int shards) => _shared.Begin(new(new LearnerBatch(Key.Epoch, Key.Step, 4, []), Key.Update, shards, Length, null, null));

    private Task<PolicyServer> ServeAsync() => _sync.ServeAsync(settings => settings with { Beside = new(GradientFormat.Path, new GradientRequests(_shared, 2).AnswerAsync) });
}
