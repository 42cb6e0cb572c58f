using System.Diagnostics;

namespace Lateral.Benchmarks.Measuring;

/// <summary>This program again, for what is measured of a whole process.</summary>
internal static class ChildProcess
{
    /// <returns>what it printed</returns>
    /// <exception cref="InvalidOperationException">it ended otherwise than well</exception>
    public static async Task<string> OutputAsync(params string[] arguments)
    {
        var host = Environment.ProcessPath!;
        string[] all = host.EndsWith("dotnet", StringComparison.Ordinal) ? [typeof(ChildProcess).Assembly.Location, .. arguments] : arguments;
        using var process = Process.Start(new ProcessStartInfo(host, all) { UseShellExecute = false, RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{string.Join(' ', arguments)} ended with exit code {process.ExitCode}");
    }
}
