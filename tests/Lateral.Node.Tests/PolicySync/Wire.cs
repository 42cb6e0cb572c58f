using System.Net;
using System.Net.Sockets;

namespace Lateral.Node.Tests.PolicySync;

/// <summary>What happens to the bytes that a server sends on one connection, counted from its first.</summary>
internal sealed record Hop(long CutAfter = long.MaxValue, long FlipAt = -1, long StallAfter = long.MaxValue);

/// <summary>A wire between cache and server: forwards, cuts with a reset, damages a byte, or goes silent, as its plan says for each connection.</summary>
internal sealed class Wire : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Func<int, Hop> _plan;
    private readonly Task _accepting;
    private volatile Uri _target;

    public Wire(Uri target, Func<int, Hop> plan)
    {
        (_target, _plan) = (target, plan);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public void LeadTo(Uri target) => _target = target;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            for (var number = 0; ; number++) connections.Add(CarryAsync(await _listener.AcceptSocketAsync(_stopping.Token), _plan(number)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task CarryAsync(Socket client, Hop hop)
    {
        using var near = client;
        // Closing resets the connection, as the death of a process does.
        near.LingerState = new LingerOption(true, 0);
        if (hop.CutAfter == 0) return;
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await far.ConnectAsync(_target.Host, _target.Port, _stopping.Token);
            await Task.WhenAny(CopyAsync(near, far, new Hop(), _stopping.Token), CopyAsync(far, near, hop, _stopping.Token)).Unwrap();
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One side is gone: so is the other, by leaving this scope.
        }
    }

    private static async Task CopyAsync(Socket from, Socket to, Hop hop, CancellationToken stopping)
    {
        var buffer = new byte[1 << 16];
        for (var sent = 0L; await from.ReceiveAsync(buffer, stopping) is > 0 and var count; sent += count)
        {
            if (hop.FlipAt >= sent && hop.FlipAt < sent + count) buffer[hop.FlipAt - sent] ^= 0x10;
            if (sent + count > hop.StallAfter) await Task.Delay(Timeout.Infinite, stopping);
            var kept = (int)Math.Min(count, hop.CutAfter - sent);
            for (var done = 0; done < kept;) done += await to.SendAsync(buffer.AsMemory(done, kept - done), stopping);
            if (kept < count) return;
        }
    }
}
