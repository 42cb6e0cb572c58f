using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Node.Composition;
using Lateral.Node.Estimation;

namespace Lateral.Node.Cli;

/// <summary><c>estimate</c>: memory per device and role before anything is loaded, and what to change where it does not fit.</summary>
internal static class EstimateCommand
{
    public static Command Create(Terminal terminal)
    {
        var (files, sets, json) = (Options.Configs(), Options.Set(), Options.Json());
        var gpu = new Option<string>("--gpu-memory") { Description = "memory of each CUDA device, for example 80GiB (default: what nvidia-smi says)", HelpName = "SIZE" };
        var estimate = new Command("estimate", Help.Line("memory per device and role before anything is loaded, and what to change where it does not fit", "estimate hocon/quickstart.conf --gpu-memory 80GiB")) { files, sets, gpu, json };
        estimate.SetAction(parsed =>
        {
            var settings = RunSettingsLoader.Load(parsed.GetValue(files)!, parsed.GetValue(sets) ?? [], null, ShippedPlugins.All).Settings;
            var need = MemoryEstimate.Of(settings, TaskComposition.Of(settings));
            var capacity = Capacity(parsed.GetValue(gpu));
            var devices = need.Devices(capacity);
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonSerializer.Serialize(devices.Select(device => Summary(need, device, capacity)), JsonSerializerOptions.Web));
            else foreach (var line in devices.SelectMany(device => Lines(need, device, capacity))) terminal.Out.WriteLine(line);
            return (int)(devices.Any(device => device.Fits == false) ? ExitCode.Environment : ExitCode.Done);
        });
        return estimate;
    }

    private static Func<string, long?> Capacity(string? given)
    {
        if (given is null) return DeviceMemory.Capacities();
        if (!Units.TrySize(given, out var bytes) || bytes <= 0) throw new UserException(ExitCode.Usage, $"--gpu-memory must be a size such as 80GiB, got \"{given}\"");
        return device => device == "cpu" ? DeviceMemory.Host : bytes;
    }

    private static IEnumerable<string> Lines(MemoryEstimate estimate, DeviceNeed device, Func<string, long?> capacity)
    {
        var verdict = device.Fits switch
        {
            true => $"fits in {Bytes.Text(device.Capacity!.Value)}",
            false => $"does NOT fit in {Bytes.Text(device.Capacity!.Value)}",
            null => "its memory is not known here (--gpu-memory 80GiB says it)",
        };
        yield return $"{device.Device}  {Bytes.Text(device.Bytes)} at the peak: {verdict}";
        foreach (var role in device.Roles)
        {
            yield return $"  {role.Role,-12} {Bytes.Text(role.Bytes),10}";
            foreach (var item in role.Items) yield return $"    {item.What,-18} {Bytes.Text(item.Bytes),10}  {item.How}";
        }

        if (device.Fits == false)
            foreach (var remedy in Remedies.For(estimate, device.Device, capacity)) yield return $"  -> {remedy}";
    }

    private static object Summary(MemoryEstimate estimate, DeviceNeed device, Func<string, long?> capacity) => new
    {
        device.Device,
        device.Bytes,
        device.Capacity,
        device.Fits,
        device.Roles,
        Remedies = device.Fits == false ? Remedies.For(estimate, device.Device, capacity) : ImmutableArray<string>.Empty,
    };
}
