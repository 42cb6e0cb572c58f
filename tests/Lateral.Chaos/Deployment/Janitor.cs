using System.Diagnostics;

namespace Lateral.Chaos.Deployment;

/// <summary>
/// Takes down what a killed harness would leave behind: a shell that is told, before a thing is made, how to remove it, and that does so
/// when its input ends, which it does however this process ends.
/// </summary>
internal sealed class Janitor : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    // In a session of its own: what is sent to the harness and its group, Ctrl-C or the kill of a timeout, does not reach it.
    private readonly Process _shell = Process.Start(new ProcessStartInfo("setsid", ["sh", "-c", "trap '' INT TERM HUP; todo=$(cat); eval \"$todo\""]) { UseShellExecute = false, RedirectStandardInput = true })!;

    /// <summary>Its processes are killed, and it is removed.</summary>
    public void RemoveNamespace(string name)
    {
        _shell.StandardInput.WriteLine($"for pid in $(ip netns pids {name} 2>/dev/null); do kill -9 $pid; done; ip netns del {name} 2>/dev/null");
        _shell.StandardInput.Flush();
    }

    public void Unmount(string path)
    {
        _shell.StandardInput.WriteLine($"umount --lazy '{path}' 2>/dev/null");
        _shell.StandardInput.Flush();
    }

    /// <param name="folder">of the server's data, its processes' id and its socket</param>
    public void RemoveDatabase(string folder)
    {
        _shell.StandardInput.WriteLine($"pid=$(head -n 1 '{folder}/data/postmaster.pid' 2>/dev/null) && [ \"$(cat /proc/$pid/comm)\" = postgres ] && kill -9 $pid && sleep 1");
        _shell.StandardInput.WriteLine($"rm -rf '{folder}'");
        _shell.StandardInput.Flush();
    }

    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        await _shell.WaitForExitAsync().WaitAsync(Deadline);
        _shell.Dispose();
    }
}
