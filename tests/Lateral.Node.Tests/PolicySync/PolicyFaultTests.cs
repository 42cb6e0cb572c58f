using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Lateral.Core.Policies;
using Lateral.Node.PolicySync;

namespace Lateral.Node.Tests.PolicySync;

/// <summary>What goes wrong between two nodes costs time, never a wrong policy, and never a wait without an end.</summary>
public sealed class PolicyFaultTests : IDisposable
{
    private const int MiB = 1 << 20;
    private readonly SyncFixture _sync = new();

    public void Dispose() => _sync.Dispose();

    [Fact]
    public async Task Download_torn_by_the_servers_death_must_go_on_with_the_missing_bytes_only()
    {
        var policy = _sync.Publish(1, 100 * MiB);
        var (torn, alive) = (new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously), false);
        var first = await _sync.ServeAsync();
        await using var wire = new Wire(first.Address, connection => connection == 0 ? new Hop(CutAfter: 40 * MiB) : new Hop(CutAfter: Volatile.Read(ref alive) ? long.MaxValue : 0));
        using var cache = _sync.Cache(wire.Address, settings => settings with { Retrying = _ => torn.TrySetResult(new FileInfo(_sync.PartOf(policy)).Length) });
        var fetch = cache.FetchAsync(policy, default);
        var there = await torn.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.InRange(there, 1, 40 * MiB);
        await first.DisposeAsync();
        _sync.Answers.Clear();

        await using var second = await _sync.ServeAsync();
        wire.LeadTo(second.Address);
        Volatile.Write(ref alive, true);
        Assert.Equal(policy.Hash, SyncFixture.HashOf(await fetch));
        var answer = Assert.Single(await _sync.AnswersAsync(1));
        Assert.Equal((206, policy.Bytes - there), (answer.Status, answer.Length));
        Assert.Equal(policy.Bytes, Assert.Single(_sync.Downloads).Received);
    }

    [Fact]
    public async Task Download_torn_by_this_process_end_must_be_taken_up_by_the_next()
    {
        var policy = _sync.Publish(1, 20 * MiB);
        await using var server = await _sync.ServeAsync();
        await using var wire = new Wire(server.Address, connection => connection == 0 ? new Hop(StallAfter: 8 * MiB) : new Hop());
        using (var dying = _sync.Cache(wire.Address))
        {
            var fetch = dying.FetchAsync(policy, default);
            var patience = Stopwatch.StartNew();
            while ((!File.Exists(_sync.PartOf(policy)) || new FileInfo(_sync.PartOf(policy)).Length < 7 * MiB) && patience.Elapsed < TimeSpan.FromSeconds(20)) await Task.Delay(10);
            dying.Dispose();
            await Assert.ThrowsAnyAsync<Exception>(() => fetch);
        }

        var there = new FileInfo(_sync.PartOf(policy)).Length;
        Assert.InRange(there, 7 * MiB, 8 * MiB);
        using var next = _sync.Cache(wire.Address);
        Assert.Equal(policy.Hash, SyncFixture.HashOf(await next.FetchAsync(policy, default)));
        Assert.Equal(policy.Bytes - there, Assert.Single(_sync.Downloads).Received);
    }

    [Fact]
    public async Task Byte_damaged_on_the_way_must_be_refused_and_asked_for_again()
    {
        var policy = _sync.Publish(1, 100 * MiB);
        await using var server = await _sync.ServeAsync();
        await using var wire = new Wire(server.Address, connection => connection == 0 ? new Hop(FlipAt: 50 * MiB) : new Hop());
        using var cache = _sync.Cache(wire.Address);
        Assert.Equal(policy.Hash, SyncFixture.HashOf(await cache.FetchAsync(policy, default)));
        Assert.Contains($"and not {policy.Hash}: it was damaged on the way or on a disk", Assert.Single(_sync.Retries), StringComparison.Ordinal);
        Assert.Equal((2 * policy.Bytes, 2), Assert.Single(_sync.Downloads) is var done ? (done.Received, done.Attempts) : default);
        Assert.Equal([(200, policy.Bytes), (200, policy.Bytes)], (await _sync.AnswersAsync(2)).Select(answer => (answer.Status, answer.Length)));
    }

    [Fact]
    public async Task File_damaged_on_this_nodes_disk_must_be_found_and_fetched_again()
    {
        var policy = _sync.Publish(1, 3 * MiB);
        await using var server = await _sync.ServeAsync();
        string path;
        using (var before = _sync.Cache(server.Address)) path = await before.FetchAsync(policy, default);
        using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = MiB;
            var old = file.ReadByte();
            file.Position = MiB;
            file.WriteByte((byte)(old ^ 1));
        }

        using var after = _sync.Cache(server.Address);
        Assert.Equal(policy.Hash, SyncFixture.HashOf(await after.FetchAsync(policy, default)));
        Assert.Equal(2, (await _sync.AnswersAsync(2)).Count);
        // A damaged part is found at the end, and all of it comes again.
        File.Delete(path);
        await File.WriteAllBytesAsync(_sync.PartOf(policy), new byte[MiB]);
        using var last = _sync.Cache(server.Address);
        Assert.Equal(policy.Hash, SyncFixture.HashOf(await last.FetchAsync(policy, default)));
        Assert.Equal([(206, 2L * MiB), (200, 3L * MiB)], (await _sync.AnswersAsync(4)).Skip(2).Select(answer => (answer.Status, answer.Length)));
    }

    [Fact]
    public async Task Payload_that_was_replaced_must_not_be_mixed_with_the_old_one()
    {
        var old = _sync.Publish(1, 10 * MiB);
        await using var server = await _sync.ServeAsync();
        await using var wire = new Wire(server.Address, connection => new Hop(CutAfter: connection == 0 ? 4 * MiB : long.MaxValue));
        PolicyManifest? replaced = null;
        using var cache = _sync.Cache(wire.Address, settings => settings with { Deadline = TimeSpan.FromSeconds(2), Retrying = _ => replaced ??= _sync.Publish(1, 10 * MiB) });
        var refused = await Assert.ThrowsAsync<PolicyUnavailableException>(() => cache.FetchAsync(old, default));
        Assert.Contains($"the server holds another v1 than {old.Hash}", refused.Message, StringComparison.Ordinal);
        Assert.All((await _sync.AnswersAsync(2)).Skip(1), answer => Assert.Equal((412, 0), (answer.Status, answer.Length)));
        Assert.Equal(replaced!.Hash, SyncFixture.HashOf(await cache.FetchAsync(replaced, default)));
        Assert.Equal(replaced.Bytes, Assert.Single(_sync.Downloads).Received);
    }

    [Fact]
    public async Task Answer_that_is_not_what_was_asked_for_must_change_nothing()
    {
        var policy = _sync.Publish(1, 2 * MiB);
        var content = await File.ReadAllBytesAsync(Path.Combine(_sync.Policies, "v1.safetensors"));
        Directory.CreateDirectory(_sync.CacheFolder);
        foreach (var (head, why) in new[]
        {
            ($"200 OK\r\nETag: \"{policy.Hash}\"\r\nContent-Length: {1L << 40}", $"the server sends {1L << 40} bytes and {2 * MiB} are missing"),
            ($"200 OK\r\nETag: \"{new string('b', 64)}\"\r\nContent-Length: {content.Length}", "the server holds another v1"),
            ($"200 OK\r\nContent-Length: {content.Length}", "the server holds another v1"),
            ($"302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0", "the server answered 302"),
            ($"200 OK\r\nETag: \"{policy.Hash}\"\r\nTransfer-Encoding: chunked", "the server sends  bytes"),
            ("nonsense", "status"),
        })
        {
            await using var liar = new Liar(head, content);
            using var cache = _sync.Cache(liar.Address, settings => settings with { Deadline = TimeSpan.FromSeconds(1) });
            var refused = await Assert.ThrowsAsync<PolicyUnavailableException>(() => cache.FetchAsync(policy, default));
            Assert.Contains(why, refused.Message, StringComparison.Ordinal);
            Assert.Equal(0, new FileInfo(_sync.PartOf(policy)).Length);
        }

        // One that ignores ranges sends all of it, and then what was there is worth nothing.
        await File.WriteAllBytesAsync(_sync.PartOf(policy), new byte[MiB]);
        await using var plain = new Liar($"200 OK\r\nETag: \"{policy.Hash}\"\r\nContent-Length: {content.Length}", content);
        using var patient = _sync.Cache(plain.Address);
        Assert.Equal(policy.Hash, SyncFixture.HashOf(await patient.FetchAsync(policy, default)));
        Assert.Equal(policy.Bytes, Assert.Single(_sync.Downloads).Received);
    }

    [Fact]
    public async Task Server_that_says_nothing_must_end_at_the_deadline_with_its_cause()
    {
        var policy = _sync.Publish(1, MiB);
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var cache = _sync.Cache(new Uri($"http://{silent.LocalEndpoint}"), settings => settings with { Stall = TimeSpan.FromMilliseconds(300), Deadline = TimeSpan.FromSeconds(2) });
        var clock = Stopwatch.StartNew();
        var refused = await Assert.ThrowsAsync<PolicyUnavailableException>(() => cache.FetchAsync(policy, default));
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(20));
        Assert.Matches(@"policy v1 did not come from http://127.0.0.1:\d+/ within 2 s \([1-9] attempts, 0 of 1,048,576 bytes\): not a byte came for 0.3 s - is the learner's node up", refused.Message);
    }

    [Fact]
    public async Task Server_that_goes_silent_must_be_asked_again_for_the_rest()
    {
        var policy = _sync.Publish(1, 20 * MiB);
        await using var server = await _sync.ServeAsync();
        await using var wire = new Wire(server.Address, connection => connection == 0 ? new Hop(StallAfter: 8 * MiB) : new Hop());
        using var cache = _sync.Cache(wire.Address, settings => settings with { Stall = TimeSpan.FromSeconds(1) });
        Assert.Equal(policy.Hash, SyncFixture.HashOf(await cache.FetchAsync(policy, default)));
        Assert.Contains("not a byte came for 1 s", Assert.Single(_sync.Retries), StringComparison.Ordinal);
        Assert.Equal(policy.Bytes, Assert.Single(_sync.Downloads).Received);
    }

    [Fact]
    public async Task Server_must_end_a_response_at_its_deadline_and_bound_how_many_there_are()
    {
        // More than the sockets' buffers hold, and little enough to be downloaded well within the deadline on a busy machine.
        var policy = _sync.Publish(1, 32 * MiB);
        await using var server = await _sync.ServeAsync(settings => settings with { Downloads = 1, Deadline = TimeSpan.FromSeconds(2), Patience = TimeSpan.FromMilliseconds(200) });
        using var client = new HttpClient { BaseAddress = server.Address, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", _sync.Token.Text) } };
        // Whoever reads the head only holds the one place, but not for ever.
        using var idle = await client.GetAsync("/v1/policy?version=1&kind=full", HttpCompletionOption.ResponseHeadersRead);
        using var refused = await client.GetAsync("/v1/policy?version=1&kind=full", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (refused.StatusCode, refused.Headers.GetValues("Retry-After").Single()));
        using var cache = _sync.Cache(server.Address);
        Assert.Equal(policy.Hash, SyncFixture.HashOf(await cache.FetchAsync(policy, default)));
        Assert.All(_sync.Retries, cause => Assert.Contains("the server answered 503: 1 downloads are under way", cause, StringComparison.Ordinal));
        await Assert.ThrowsAnyAsync<Exception>(() => idle.Content.CopyToAsync(Stream.Null));
    }

    [Fact]
    public async Task Nobody_listening_must_be_told_as_such()
    {
        var policy = _sync.Publish(1, MiB);
        var server = await _sync.ServeAsync();
        await server.DisposeAsync();
        using var cache = _sync.Cache(server.Address, settings => settings with { Deadline = TimeSpan.FromSeconds(1) });
        var refused = await Assert.ThrowsAsync<PolicyUnavailableException>(() => cache.FetchAsync(policy, default));
        Assert.Contains("Connection refused - is the learner's node up", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Folder_that_cannot_be_written_must_be_named()
    {
        var policy = _sync.Publish(1, MiB);
        File.WriteAllText(_sync.CacheFolder, "a file");
        await using var server = await _sync.ServeAsync();
        using var cache = _sync.Cache(server.Address);
        var refused = await Assert.ThrowsAsync<PolicyUnavailableException>(() => cache.FetchAsync(policy, default));
        Assert.Contains($"policy v1: {_sync.CacheFolder} cannot be used: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("policies.cache-dir names another folder", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Answers every request with the same head and content.</summary>
    private sealed class Liar : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _answering;

        public Liar(string head, byte[] content)
        {
            _listener.Start();
            _answering = AnswerAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n"), content);
        }

        public Uri Address => new($"http://{_listener.LocalEndpoint}");

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _answering;
        }

        private async Task AnswerAsync(byte[] head, byte[] content)
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    try
                    {
                        await using var stream = client.GetStream();
                        using var request = new StreamReader(stream, leaveOpen: true);
                        while (await request.ReadLineAsync() is { Length: > 0 })
                        {
                        }

                        await stream.WriteAsync(head);
                        await stream.WriteAsync(content);
                    }
                    catch (IOException)
                    {
                        // The asker has seen enough of it.
                    }
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // The listener was stopped.
            }
        }
    }
}
