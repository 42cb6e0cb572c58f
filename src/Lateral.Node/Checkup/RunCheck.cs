using Lateral.Actors;
using Lateral.Core.Runs;
using Lateral.Diffusion.Native;
using Lateral.Node.Estimation;

namespace Lateral.Node.Checkup;

/// <summary>What a particular configuration asks of the machine: devices, memory, disk, port.</summary>
internal static class RunCheck
{
    /// <summary>Bytes on the disk: checkpoints that are kept (weights and two moments) and one being written, and the policies within staleness.</summary>
    public static long Disk(RunSettings settings, long parameters) =>
        EnvironmentProblem.LeastFreeBytes + (sizeof(float) * parameters * ((3L * (Math.Max(2, settings.Checkpoint.KeepLast) + 2)) + settings.MaxStaleness + 2));

    /// <param name="backend">null where libtorch does not load, which is a finding of its own</param>
    public static IEnumerable<Finding> Of(RunSettings settings, MemoryEstimate estimate, NativeBackend? backend)
    {
        foreach (var device in settings.Topology.SamplerDevices.Append(settings.Topology.LearnerDevice).Distinct(StringComparer.Ordinal))
            if (backend is not null && !TorchDevices.Exists(backend, device))
                yield return new Finding("device", false, $"{device} does not exist here", "change topology.roles, or name a CUDA build with compute.libtorch");
        var capacity = DeviceMemory.Capacities();
        foreach (var need in estimate.Devices(capacity))
            yield return need.Fits == false
                ? new Finding("memory", false, $"{need.Device} has {Bytes.Text(need.Capacity!.Value)} and the run needs about {Bytes.Text(need.Bytes)}", Remedies.For(estimate, need.Device, capacity)[0])
                : new Finding("memory", true, $"{need.Device}: the run needs about {Bytes.Text(need.Bytes)}{(need.Capacity is { } known ? $" of {Bytes.Text(known)}" : "")}");
    }

    public static Finding Journal(RunSettings settings)
    {
        try
        {
            return new Finding("journal", true, RunJournal.Reach(settings));
        }
        catch (RunHostException failure)
        {
            return new Finding("journal", false, failure.Message);
        }
    }
}
