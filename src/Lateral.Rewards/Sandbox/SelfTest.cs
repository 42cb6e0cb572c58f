using System.Text;

namespace Lateral.Rewards.Sandbox;

/// <summary>Six programs whose ends are known. A sandbox that gets one of them wrong judges nothing.</summary>
internal static class SelfTest
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1), Long = TimeSpan.FromSeconds(20);

    /// <summary>Tells what it got out of its walls, and nothing else.</summary>
    private const string Escape = """
        import os
        found = [path for path in ("/etc", "/proc", "/sys", "/root", "/home", "/var") if os.path.exists(path)]
        try:
            import socket
            socket.socket()
            found.append("a socket")
        except OSError:
            pass
        for path in ("/x", "/dev/x"):
            try:
                open(path, "w")
                found.append(path)
            except OSError:
                pass
        print("got " + ", ".join(found) if found else "contained")
        """;

    /// <exception cref="SandboxUnavailableException">names the program, what should have come of it, and what did</exception>
    public static async Task RunAsync(PythonSandbox sandbox, SandboxSettings settings, CancellationToken cancellation)
    {
        // Touched page by page: what is only asked for costs nothing.
        var greedy = $"held = [b'x' * (1 << 20) for _ in range({(2 * settings.MemoryLimit) >> 20})]";
        await ExpectAsync("that ends well", "print(sum(range(10)))", Long, result => Printed(result) == "45");
        await ExpectAsync("that fails", "assert 1 == 2", Long, result => result is SandboxResult.Exited { Code: 1 });
        await ExpectAsync("that never ends", "while True: pass", Short, result => result is SandboxResult.Timeout);
        await ExpectAsync("that takes memory", greedy, Long, result => result is SandboxResult.OutOfMemory);
        await ExpectAsync("that writes without end", "while True: print('x' * 1000)", Long, result => result is SandboxResult.OutputLimit);
        if (sandbox.Protection.Walls) await ExpectAsync("that looks for a way out", Escape, Long, result => Printed(result) == "contained");

        async Task ExpectAsync(string what, string program, TimeSpan limit, Func<SandboxResult, bool> right)
        {
            var result = await sandbox.RunAsync(new SandboxJob(program), limit, cancellation);
            if (!right(result)) throw new SandboxUnavailableException($"the sandbox judges a program {what} wrongly: {Told(result)}");
        }
    }

    private static string? Printed(SandboxResult result) => result is SandboxResult.Exited { Code: 0 } exited ? Encoding.UTF8.GetString(exited.Output).Trim() : null;

    private static string Told(SandboxResult result) => result switch
    {
        SandboxResult.Exited exited => $"it ended with {exited.Code}: {Encoding.UTF8.GetString([.. exited.Output.Take(200), .. exited.Errors.TakeLast(200)]).Trim()}",
        SandboxResult.Fault fault => fault.Cause,
        _ => $"it ended by {result.GetType().Name}",
    };
}
