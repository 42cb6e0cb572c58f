using Lateral.Core.Runs;
using Lateral.Node.Composition;

namespace Lateral.Node.Estimation;

/// <summary>Refuses a run whose models alone do not fit: no setting of batches or slots would help, and the first forward would only find out later.</summary>
internal static class MemoryCheck
{
    /// <exception cref="UserException">a device is too small; says for what, with the figures and what to write</exception>
    public static void Require(RunSettings settings, TaskComposition task)
    {
        var topology = settings.Topology;
        // Elsewhere in a cluster devices are others'.
        if (!topology.Cluster.IsAlone) return;
        var onlyCpu = topology.SamplerDevices.Append(topology.LearnerDevice).Concat(topology.Ranks > 1 ? topology.RankDevices : []).All(device => device == "cpu");
        Func<string, long?> capacity = onlyCpu ? device => device == "cpu" ? DeviceMemory.Host : null : DeviceMemory.Capacities();
        var estimate = MemoryEstimate.Of(settings, task);
        foreach (var device in estimate.Devices(capacity))
        {
            var always = device with { Roles = [.. device.Roles.Select(role => role with { Items = [.. role.Items.Where(item => item.Fixed)] })] };
            if (always.Fits != false) continue;
            var figures = string.Join(", ", always.Roles.Select(role => $"{role.Role} {Bytes.Text(role.Bytes)}"));
            throw new UserException(
                ExitCode.Environment,
                $"{device.Device} has {Bytes.Text(device.Capacity!.Value)}, and {estimate.Parameters:N0} parameters, of which {estimate.Trained:N0} are trained, take {Bytes.Text(always.Bytes)} in any case ({figures}) - {Advice(settings)}; estimate shows every part");
        }
    }

    private static string Advice(RunSettings settings) => settings.Model switch
    {
        { Path: not null, Adapter: null } => "train an adapter: model.adapter.rank = 16 with model.precision = bfloat16, or use a device with more memory",
        { Precision: Core.Policies.ModelPrecision.Float32, Adapter: not null } => "write model.precision = bfloat16, or use a device of its own for each role",
        _ => "use a smaller model, a device of its own for each role, or one with more memory",
    };
}
