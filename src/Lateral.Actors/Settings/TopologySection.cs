using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Lateral.Configuration;
using Lateral.Core.Policies;
using Lateral.Core.Runs;
using Lateral.Core.Security;

namespace Lateral.Actors.Settings;

/// <summary><c>topology {}</c>: which devices the roles name, against each other and against what the machine is said to have.</summary>
internal static partial class TopologySection
{
    private const string Devices = "roles.sampler.devices";
    private const string RankDevices = "roles.rank.devices";
    private const string LearnerDevice = "roles.learner.device";

    /// <param name="encrypted">whether nodes know each other by certificates</param>
    /// <param name="journal">only a server's is reached by several coordinators</param>
    /// <param name="ranks">section <c>learner</c></param>
    /// <param name="transport">of policies: gradients take the same way back</param>
    public static TopologySettings Read(ConfigReader topology, ConfigReader ranks, bool encrypted, JournalSettings journal, string transport)
    {
        var sampler = topology.Section("roles").Section("sampler");
        var (devices, learner) = (ReadDevices(topology, Devices), topology.String(LearnerDevice));
        CheckDevice(topology, LearnerDevice, learner);
        var host = topology.String("host", allowEmpty: false);
        // Whoever reaches an open port could speak for a role.
        if (!encrypted && !TlsSettings.IsLoopback(host))
            topology.Error("host", $"must be a loopback address such as 127.0.0.1 without TLS, got \"{host}\" - anybody could join; make certificates with lateral certs init and issue, and write tls {{ ca, certificate, key }}");
        var settings = new TopologySettings(devices, sampler.Int("slots", 1, 65_536), learner, host, topology.Int("port", 0, 65_535))
        {
            GpusPerNode = topology.Has("gpus-per-node") ? topology.Int("gpus-per-node", 0, 1024) : null,
            ShareDevices = topology.Bool("share-devices"),
            ReportEvery = sampler.Duration("report-every", TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)),
            Cluster = ClusterSection.Read(topology.Section("cluster")),
            Ranks = ranks.Int("ranks", 1, 1024),
            RankDevices = ReadDevices(topology, RankDevices),
            ShardDeadline = ranks.Duration("shard-deadline", TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)),
        };
        settings = settings with { Roles = ClusterSection.ReadRoles(topology.Section("roles"), settings, journal) };
        if (settings.Ranks > 1 && !settings.Cluster.IsAlone && transport != PolicySyncSettings.Http)
            ranks.Error("ranks", $"= {settings.Ranks}, but policies.transport = {transport}: ranks of other processes send their gradients over HTTP - write policies.transport = http");
        CheckTotal(topology, settings);
        CheckShared(topology, settings);
        return settings;
    }

    /// <param name="key">of a map of devices; none named = cpu</param>
    private static ImmutableArray<string> ReadDevices(ConfigReader topology, string key)
    {
        string[] path = key.Split('.');
        var role = topology.Section(path[0]).Section(path[1]);
        if (role.Value.Find("devices") is ConfigArray or ConfigScalar { Kind: not ScalarKind.Null })
        {
            var written = role.Raw("devices");
            var names = ((written as ConfigArray)?.Items ?? [written!]).OfType<ConfigScalar>().Select(item => $"{ConfigPath.RenderKey(item.Text)} {{}}").Distinct().DefaultIfEmpty("cpu {}");
            role.Error("devices", $"must be a map, so that another file can add or remove a device - write devices {{ {string.Join(", ", names)} }}");
            return ["cpu"];
        }

        var named = role.Sections("devices");
        foreach (var device in named.Keys) CheckDevice(topology, $"{key}.{ConfigPath.RenderKey(device)}", device);
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
        settings.SamplerDevices.Select(device => ($"{Devices}.{ConfigPath.RenderKey(device)}", device))
            .Concat(settings.RankDevices.Select(device => ($"{RankDevices}.{ConfigPath.RenderKey(device)}", device))).Append((LearnerDevice, settings.LearnerDevice));

    /// <summary>A device is named by a key, so the key's own place is what to point at.</summary>
    private static Origin Place(ConfigReader topology, string key) =>
        new[] { Devices, RankDevices }.FirstOrDefault(map => key.StartsWith(map + ".", StringComparison.Ordinal)) is { } map && topology.Value.Find(map.Split('.')) is ConfigObject devices
        && devices.Fields.Keys.FirstOrDefault(name => $"{map}.{ConfigPath.RenderKey(name)}" == key) is { } device
            ? devices.KeyOrigin(device)
            : topology.OriginOf(key);

    private static bool IsCuda(string device) => device.StartsWith("cuda", StringComparison.Ordinal);

    private static int Index(string device) => IsCuda(device) && int.TryParse(device.AsSpan(device.IndexOf(':', StringComparison.Ordinal) + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1;

    [GeneratedRegex("^(cpu|cuda:[0-9]{1,3})$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex DevicePattern();
}
