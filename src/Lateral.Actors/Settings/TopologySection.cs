using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Lateral.Configuration;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary><c>topology {}</c>: which devices the roles name, against each other and against what the machine is said to have.</summary>
internal static partial class TopologySection
{
    private const string Devices = "roles.sampler.devices";
    private const string LearnerDevice = "roles.learner.device";

    public static TopologySettings Read(ConfigReader topology)
    {
        var roles = topology.Section("roles");
        _ = (roles.Section("coordinator"), roles.Section("reward"));
        var sampler = roles.Section("sampler");
        var (devices, learner) = (ReadDevices(topology, sampler), topology.String(LearnerDevice));
        CheckDevice(topology, LearnerDevice, learner);
        var host = topology.String("host", allowEmpty: false);
        // Remoting is not encrypted: whoever reaches the port could speak for a role.
        if (!(host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address))))
            topology.Error("host", $"must be a loopback address such as 127.0.0.1, got \"{host}\" - remoting is not encrypted");
        var settings = new TopologySettings(devices, sampler.Int("slots", 1, 65_536), learner, host, topology.Int("port", 0, 65_535))
        {
            GpusPerNode = topology.Has("gpus-per-node") ? topology.Int("gpus-per-node", 0, 1024) : null,
            ShareDevices = topology.Bool("share-devices"),
        };
        CheckTotal(topology, settings);
        CheckShared(topology, settings);
        return settings;
    }

    private static ImmutableArray<string> ReadDevices(ConfigReader topology, ConfigReader sampler)
    {
        if (sampler.Value.Find("devices") is ConfigArray or ConfigScalar { Kind: not ScalarKind.Null })
        {
            var written = sampler.Raw("devices");
            var names = ((written as ConfigArray)?.Items ?? [written!]).OfType<ConfigScalar>().Select(item => $"{ConfigPath.RenderKey(item.Text)} {{}}").Distinct().DefaultIfEmpty("cpu {}");
            sampler.Error("devices", $"must be a map, so that another file can add or remove a device - write devices {{ {string.Join(", ", names)} }}");
            return ["cpu"];
        }

        var named = sampler.Sections("devices");
        foreach (var device in named.Keys) CheckDevice(topology, $"{Devices}.{ConfigPath.RenderKey(device)}", device);
        return named.Count == 0 ? ["cpu"] : [.. named.Keys];
    }

    private static void CheckDevice(ConfigReader topology, string key, string device)
    {
        if (DevicePattern().IsMatch(device)) return;
        var advice = device == "cuda" ? " - write the index too, in quotes because of the colon: \"cuda:0\"" : "";
        topology.Error(key, $"must name cpu, or cuda:0, cuda:1, ..., got \"{device}\"{advice}", Place(topology, key));
    }

    /// <summary>Against the total that the configuration declares, so that no GPU is needed to find the mistake.</summary>
    private static void CheckTotal(ConfigReader topology, TopologySettings settings)
    {
        if (settings.GpusPerNode is not { } total) return;
        var declared = $"{topology.Path}.gpus-per-node = {total} at {topology.OriginOf("gpus-per-node")}";
        var (there, fix) = total switch
        {
            0 => ("is no CUDA device", "name cpu"),
            1 => ("is only cuda:0", "name cuda:0"),
            _ => ($"are only cuda:0 .. cuda:{total - 1}", $"name one of them ({Named(settings).Select(named => named.Device).Where(IsCuda).Distinct().Count()} are named)"),
        };
        foreach (var (key, device) in Named(settings).Where(named => Index(named.Device) >= total))
            topology.Error(key, $"names {device}, but there {there} ({declared}) - {fix}, or raise gpus-per-node", Place(topology, key));
    }

    /// <summary>Two roles on one GPU take its memory from each other: that has to be meant.</summary>
    private static void CheckShared(ConfigReader topology, TopologySettings settings)
    {
        if (settings.ShareDevices || !IsCuda(settings.LearnerDevice) || !settings.SamplerDevices.Contains(settings.LearnerDevice)) return;
        var sampler = $"{Devices}.{ConfigPath.RenderKey(settings.LearnerDevice)}";
        topology.Error(
            LearnerDevice, $"= {settings.LearnerDevice} is a sampler's device, too ({topology.Path}.{sampler} at {Place(topology, sampler)}): two roles, 1 device - "
            + "name another device, or write topology.share-devices = on where both fit into its memory",
            Place(topology, LearnerDevice));
    }

    private static IEnumerable<(string Key, string Device)> Named(TopologySettings settings) =>
        settings.SamplerDevices.Select(device => ($"{Devices}.{ConfigPath.RenderKey(device)}", device)).Append((LearnerDevice, settings.LearnerDevice));

    /// <summary>A device is named by a key, so the key's own place is what to point at.</summary>
    private static Origin Place(ConfigReader topology, string key) =>
        key.StartsWith(Devices + ".", StringComparison.Ordinal) && topology.Value.Find("roles", "sampler", "devices") is ConfigObject devices
        && devices.Fields.Keys.FirstOrDefault(name => $"{Devices}.{ConfigPath.RenderKey(name)}" == key) is { } device
            ? devices.KeyOrigin(device)
            : topology.OriginOf(key);

    private static bool IsCuda(string device) => device.StartsWith("cuda", StringComparison.Ordinal);

    private static int Index(string device) => IsCuda(device) && int.TryParse(device.AsSpan(device.IndexOf(':', StringComparison.Ordinal) + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1;

    [GeneratedRegex("^(cpu|cuda:[0-9]{1,3})$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex DevicePattern();
}
