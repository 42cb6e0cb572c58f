using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Lateral.Node.Estimation;

/// <summary>What this machine's devices have, asked without libtorch: the driver's own tool knows.</summary>
public static class DeviceMemory
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    /// <summary>Bytes this process may use: the machine's memory, or its control group's limit.</summary>
    public static long Host => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>N of <c>cuda:N</c>; 0 for <c>cuda</c>, null for any other device.</summary>
    public static int? Index(string device) =>
        device == "cuda" ? 0
        : device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(device.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    /// <summary>What a device has where nobody says otherwise; null where it is not known.</summary>
    public static Func<string, long?> Capacities()
    {
        var gpus = Gpus();
        return device => device == "cpu" ? Host : Index(device) is { } index && index < gpus.Count ? gpus[index].Bytes : null;
    }

    /// <summary>One line per NVIDIA device in the order of their numbers; empty where there is no driver.</summary>
    /// <exception cref="TimeoutException">the driver does not answer</exception>
    public static IReadOnlyList<(string Name, string Driver, long Bytes)> Gpus()
    {
        var start = new ProcessStartInfo("nvidia-smi", ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits"]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(Deadline))
            {
                process.Kill(entireProcessTree: true);
                throw new TimeoutException($"nvidia-smi has not answered for {Deadline.TotalSeconds:0} s; a device of this machine may hang");
            }

            return process.ExitCode == 0 ? [.. output.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)] : [];
        }
        catch (Win32Exception)
        {
            // No such program: no driver.
            return [];
        }
    }

    /// <summary>Example: <c>NVIDIA H100 80GB HBM3, 580.95.05, 81559</c>, memory in MiB.</summary>
    internal static (string Name, string Driver, long Bytes) Parse(string line)
    {
        var columns = line.Split(',', StringSplitOptions.TrimEntries);
        var memory = columns.Length == 3 && long.TryParse(columns[2], NumberStyles.None, CultureInfo.InvariantCulture, out var mebibytes) ? mebibytes << 20 : 0;
        return (columns[0], columns.ElementAtOrDefault(1) ?? "?", memory);
    }
}
