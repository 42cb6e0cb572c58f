using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Lateral.Rewards.Tests.Judging;

/// <summary>A request as it came over the wire.</summary>
internal sealed record HttpCall(string Method, string Target, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public JsonElement Json => JsonElement.Parse(Body);

    public string Message(int index) => Json.GetProperty("messages")[index].GetProperty("content").GetString()!;
}

/// <summary>What the server does with one request.</summary>
internal delegate Task Behaviour(HttpCall call, Socket socket, CancellationToken stop);

/// <summary>
/// An HTTP/1.1 server on loopback that says exactly the bytes that it is told to, one request a connection. Behaviours are taken in turn by questions, the last one
/// again and again; the list of models has its own.
/// </summary>
internal sealed class JudgeServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<Behaviour> _script;
    private readonly Task _accepting;
    private Behaviour _last;
    private int _open, _working, _mostAtOnce;

    public JudgeServer(params Behaviour[] script)
    {
        (_script, _last) = (new ConcurrentQueue<Behaviour>(script), script[^1]);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1";

    public Behaviour Models { get; init; } = Behave.Status(404, "no list here");

    public ConcurrentQueue<HttpCall> Calls { get; } = new();

    public IReadOnlyList<HttpCall> Questions => [.. Calls.Where(call => call.Method == "POST")];

    /// <summary>Connections that are open now.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>The most questions that were worked on at one time.</summary>
    public int MostAtOnce => Volatile.Read(ref _mostAtOnce);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(ServeAsync(await _listener.AcceptSocketAsync(_stop.Token)));
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        Interlocked.Increment(ref _open);
        try
        {
            using (socket)
            {
                if (await ReadAsync(socket) is not { } call) return;
                Calls.Enqueue(call);
                if (call.Method != "POST")
                {
                    await Models(call, socket, _stop.Token);
                    return;
                }

                var working = Interlocked.Increment(ref _working);
                for (var most = MostAtOnce; working > most && Interlocked.CompareExchange(ref _mostAtOnce, working, most) != most;) most = MostAtOnce;
                try
                {
                    if (_script.TryDequeue(out var next)) _last = next;
                    await (next ?? _last)(call, socket, _stop.Token);
                }
                finally
                {
                    Interlocked.Decrement(ref _working);
                }
            }
        }
        catch (Exception gone) when (gone is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client went away or the test is over: what these tests are about.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task<HttpCall?> ReadAsync(Socket socket)
    {
        var (bytes, buffer) = (new List<byte>(), new byte[8192]);
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer, _stop.Token);
            if (count == 0) return null;
            bytes.AddRange(buffer.AsSpan(0, count));
            var text = Encoding.Latin1.GetString([.. bytes]);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0) continue;
            var lines = text[..end].Split("\r\n");
            var headers = lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
            var length = headers.TryGetValue("Content-Length", out var written) ? int.Parse(written, CultureInfo.InvariantCulture) : 0;
            if (bytes.Count < end + 4 + length) continue;
            var first = lines[0].Split(' ');
            return new HttpCall(first[0], first[1], headers, Encoding.UTF8.GetString([.. bytes.Skip(end + 4).Take(length)]));
        }
    }
}

/// <summary>Everything that an endpoint may do.</summary>
internal static class Behave
{
    public static Behaviour Score(double score) => Says(JsonSerializer.Serialize(new { reason = "because", score }));

    /// <summary>A chat completion with this text.</summary>
    public static Behaviour Says(string content, int? tokens = 100) => Status(200, Completion(content, "stop", tokens));

    public static string Completion(string content, string finish, int? tokens) =>
        JsonSerializer.Serialize(new { choices = new[] { new { message = new { role = "assistant", content }, finish_reason = finish } }, usage = tokens is { } total ? new { total_tokens = total } : null });

    public static Behaviour Status(int code, string body, params string[] headers) => (_, socket, stop) =>
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        return SendAsync(socket, [.. Head(code, bytes.Length, headers), .. bytes], stop);
    };

    public static Behaviour Raw(byte[] bytes) => (_, socket, stop) => SendAsync(socket, bytes, stop);

    /// <summary>Says what the question's answer is, by a function of the question.</summary>
    public static Behaviour By(Func<HttpCall, Behaviour> choose) => (call, socket, stop) => choose(call)(call, socket, stop);

    public static Behaviour After(Task held, Behaviour then) => async (call, socket, stop) =>
    {
        await held.WaitAsync(stop);
        await then(call, socket, stop);
    };

    /// <summary>Never answers; ends when the client has gone.</summary>
    public static async Task Hang(HttpCall call, Socket socket, CancellationToken stop) => _ = await socket.ReceiveAsync(new byte[1], stop);

    /// <summary>A byte now and then, for ever; ends when the client has gone.</summary>
    public static async Task Drip(HttpCall call, Socket socket, CancellationToken stop)
    {
        await SendAsync(socket, Head(200, 1_000_000, []), stop);
        var gone = Hang(call, socket, stop);
        while (!gone.IsCompleted)
        {
            await SendAsync(socket, " "u8.ToArray(), stop);
            await Task.WhenAny(gone, Task.Delay(10, stop));
        }

        await gone;
    }

    /// <summary>Promises more than it sends.</summary>
    public static async Task Truncate(HttpCall call, Socket socket, CancellationToken stop) => await SendAsync(socket, [.. Head(200, 5000, []), .. "{\"choices\": ["u8], stop);

    public static Task Reset(HttpCall call, Socket socket, CancellationToken stop)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
        return Task.CompletedTask;
    }

    /// <summary>Sends without end, in chunks.</summary>
    public static async Task Flood(HttpCall call, Socket socket, CancellationToken stop)
    {
        await SendAsync(socket, Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"), stop);
        byte[] chunk = [.. "10000\r\n"u8, .. new byte[0x10000], .. "\r\n"u8];
        while (true) await SendAsync(socket, chunk, stop);
    }

    private static byte[] Head(int code, long length, string[] headers) =>
        Encoding.ASCII.GetBytes($"HTTP/1.1 {code} Whatever\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n");

    private static async Task SendAsync(Socket socket, byte[] bytes, CancellationToken stop)
    {
        for (var sent = 0; sent < bytes.Length;) sent += await socket.SendAsync(bytes.AsMemory(sent), stop);
    }
}
