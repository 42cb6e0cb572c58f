using Lateral.Chaos.Deployment;

namespace Lateral.Chaos.Faults;

/// <summary>How things are broken from outside.</summary>
internal sealed class FaultTools(Cluster cluster, Files files)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20), Starting = TimeSpan.FromSeconds(10);

    /// <returns>the killed process; null = none came up to be killed</returns>
    public async Task<int?> KillAsync(string node, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Starting);
        while (!deadline.IsCancellationRequested)
        {
            if (cluster.Nodes[node].Signal(Native.SigKill) is { } pid) return pid;
            await Task.Delay(Poll, cancellation);
        }

        return null;
    }

    /// <summary>The same process stands still and goes on; one that was started again meanwhile is left alone.</summary>
    public async Task StopAsync(string node, TimeSpan hold, CancellationToken cancellation)
    {
        var stopped = cluster.Nodes[node].Signal(Native.SigStop);
        try
        {
            await Task.Delay(hold, cancellation);
        }
        finally
        {
            if (stopped is { } pid && cluster.Nodes[node].Pid == pid) cluster.Nodes[node].Signal(Native.SigCont);
        }
    }

    /// <summary>Waits until a failpoint was met; one that is not is taken back.</summary>
    public async Task<bool> HappensAsync(string node, string place, TimeSpan within, CancellationToken cancellation)
    {
        var failpoints = cluster.Failpoints[node];
        for (var waited = TimeSpan.Zero; waited < within; waited += Poll)
        {
            if (failpoints.Happened(place)) return true;
            await Task.Delay(Poll, cancellation);
        }

        return !failpoints.Disarm(place);
    }

    public bool TurnBitOfNewestCheckpoint()
    {
        var folder = Path.Combine(files.RunOf(Cluster.Learner), "checkpoints");
        var newest = Newest(Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "model.safetensors", SearchOption.AllDirectories).Where(file => !file.Contains("step_0", StringComparison.Ordinal)) : []);
        return newest is not null && TurnBit(newest);
    }

    public bool TurnBitOfNewestPolicy(string node)
    {
        var folder = files.PoliciesOf(node);
        var newest = Newest(Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.safetensors", SearchOption.AllDirectories) : []);
        return newest is not null && TurnBit(newest);
    }

    private static string? Newest(IEnumerable<string> found) => found.OrderByDescending(File.GetLastWriteTimeUtc).FirstOrDefault();

    /// <summary>In the middle, where the weights are.</summary>
    private static bool TurnBit(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            stream.Position = stream.Length / 2;
            var value = stream.ReadByte();
            stream.Position--;
            stream.WriteByte((byte)(value ^ 1));
            return true;
        }
        catch (IOException)
        {
            // Pruned in between.
            return false;
        }
    }
}
