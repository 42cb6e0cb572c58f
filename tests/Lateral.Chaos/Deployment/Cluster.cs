using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Lateral.Actors.Hosting;
using Lateral.Core;
using Lateral.Node.Certificates;
using Lateral.Node.Sessions;

namespace Lateral.Chaos.Deployment;

/// <summary>
/// A run's processes as they would be on machines of their own: coordinator, learner, a second learner rank, two samplers, reward
/// node, each in its network namespace under mutual TLS, and a PostgreSQL server; what is missing here is left out and said.
/// </summary>
internal sealed class Cluster : IAsyncDisposable
{
    public const string Coordinator = "coordinator", Learner = "learner", Rank = "rank-1", Reward = "reward", Password = "LATERAL_DB_PASSWORD", Mark = "LATERAL_CHAOS";

    public static readonly ImmutableArray<string> Samplers = ["sampler-1", "sampler-2"];

    private static readonly ImmutableArray<string> Names = [Coordinator, Learner, Rank, .. Samplers, Reward];

    private readonly Files _files;
    private readonly Janitor _janitor;
    private readonly string _password;

    private Cluster(Files files, TemporaryPostgres database, string password, Network? network, SmallDisk? disk, Janitor janitor, Func<TimeSpan> clock)
    {
        (_files, Database, _password, Network, Disk, _janitor) = (files, database, password, network, disk, janitor);
        Failpoints = Names.ToImmutableDictionary(name => name, name => new Failpoints(files.FailpointsOf(name)));
        Nodes = Names.ToImmutableDictionary(name => name, name => new KeptProcess(name, () => StartInfo(name), files.LogOf(name), clock));
    }

    public ImmutableDictionary<string, KeptProcess> Nodes { get; }

    public ImmutableDictionary<string, Failpoints> Failpoints { get; }

    public TemporaryPostgres Database { get; }

    /// <summary>Null where namespaces cannot be made.</summary>
    public Network? Network { get; }

    /// <summary>The learner's; null where it cannot be mounted.</summary>
    public SmallDisk? Disk { get; }

    /// <summary>Library that moves a process's clock; null = not installed.</summary>
    public static string? FakeTime { get; } = Directory.Exists("/usr/lib")
        ? Directory.EnumerateFiles("/usr/lib", "libfaketime.so.1", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3, IgnoreInaccessible = true }).FirstOrDefault()
        : null;

    public string ConnectionString => $"Host={Database.Folder};Port={Database.Port};Database=postgres;Username={TemporaryPostgres.User}";

    /// <summary>Under the library Npgsql takes a server at a Unix socket for silent, so the coordinator keeps the real clock.</summary>
    public static bool CanFakeTime(string node) => node != Coordinator;

    public static string RoleOf(string node) => node.Split('-')[0];

    /// <param name="say">told what is missing here</param>
    public static async Task<Cluster> CreateAsync(Files files, int seed, Func<TimeSpan> clock, Action<string> say)
    {
        var janitor = new Janitor();
        var (network, reason) = await Network.TryCreateAsync(Names, janitor);
        if (network is null) say($"without partitions: {reason}");
        var disk = await SmallDisk.TryMountAsync(files.RunsOf(Learner), janitor);
        if (disk is null) say("without a full disk: mounting needs root");
        if (FakeTime is null) say("without clock jumps: libfaketime is not installed");
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var database = await TemporaryPostgres.StartAsync(password);
        janitor.RemoveDatabase(database.Folder);
        var cluster = new Cluster(files, database, password, network, disk, janitor, clock);
        // The audit reads the journal from this process.
        Environment.SetEnvironmentVariable(Password, password);
        File.WriteAllText(files.RunConf, SoakConfiguration.Run(seed));
        File.WriteAllText(files.ClusterConf, SoakConfiguration.Cluster(files, cluster.ConnectionString));
        cluster.IssueCertificates();
        foreach (var name in Names) await cluster.MoveClockAsync(name, TimeSpan.Zero);
        foreach (var step in SoakConfiguration.PoisonedSteps(seed).Take(200)) cluster.Failpoints[Learner].Arm($"nan-gradient-{step}", "nan");
        return cluster;
    }

    public void Start()
    {
        foreach (var node in Nodes.Values) node.Start();
    }

    /// <summary>Coordinator first: it drains and saves the run, which needs the others.</summary>
    /// <returns>those that had to be killed</returns>
    public async Task<IReadOnlyList<string>> StopAsync()
    {
        var late = new List<string>();
        if (!await Nodes[Coordinator].StopAsync()) late.Add(Coordinator);
        var others = Nodes.Values.Where(node => node.Name != Coordinator).Select(async node => (node.Name, Well: await node.StopAsync()));
        late.AddRange((await Task.WhenAll(others)).Where(node => !node.Well).Select(node => node.Name));
        return late;
    }

    /// <summary>Wall time only; the monotonic clock goes on as before.</summary>
    public async Task MoveClockAsync(string node, TimeSpan by)
    {
        var half = _files.ClockOf(node) + ".half";
        await File.WriteAllTextAsync(half, string.Create(CultureInfo.InvariantCulture, $"{(by < TimeSpan.Zero ? "" : "+")}{by.TotalSeconds:0}s\n"));
        File.Move(half, _files.ClockOf(node), overwrite: true);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes.Values) node.Signal(Native.SigCont);
        await Task.WhenAll(Nodes.Values.Select(node => node.StopAsync()));
        await Database.DisposeAsync();
        await _janitor.DisposeAsync();
    }

    /// <summary>The same program in this process's network, with failpoints of its own.</summary>
    public ProcessStartInfo Lateral(string failpoints, params string[] arguments)
    {
        var start = Quiet("dotnet", [Path.Combine(AppContext.BaseDirectory, "lateral.dll"), .. arguments]);
        start.Environment[Failpoint.Variable] = failpoints;
        return start;
    }

    private ProcessStartInfo StartInfo(string node)
    {
        string[] program = ["dotnet", Path.Combine(AppContext.BaseDirectory, "lateral.dll"), .. Arguments(node)];
        // Both become the program itself, so that the id is the node's. In a session of its own it gets no Ctrl-C that is meant for
        // the harness, and its own share of the processor, as on a machine of its own.
        string[] command = ["setsid", .. Network is null ? Array.Empty<string>() : ["nsenter", $"--net=/run/netns/{Network.NamespaceOf(node)}", "--"], .. program];
        var start = Quiet(command[0], command[1..]);
        start.Environment[Failpoint.Variable] = _files.FailpointsOf(node);
        if (node == Coordinator) start.Environment[Password] = _password;
        if (FakeTime is null || !CanFakeTime(node)) return start;
        start.Environment["LD_PRELOAD"] = FakeTime;
        start.Environment["FAKETIME_TIMESTAMP_FILE"] = _files.ClockOf(node);
        start.Environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        start.Environment["FAKETIME_CACHE_DURATION"] = "1";
        // Its fix for glibcs of before 2.30 makes every timed wait of today's return at once: an idle process would take more than a core.
        start.Environment["FAKETIME_FORCE_MONOTONIC_FIX"] = "0";
        return start;
    }

    private IEnumerable<string> Arguments(string node)
    {
        var pair = Path.Combine(_files.Certificates, node);
        string[] sets =
        [
            $"topology {{ host = {HostOf(node)}, port = {(Network is null ? 0 : 4053)} }}",
            $"tls {{ ca = \"{_files.Certificates}/ca.crt\", certificate = \"{pair}.crt\", key = \"{pair}.key\" }}",
            $"policies.cache-dir = \"{_files.PoliciesOf(node)}\"",
        ];
        return ["node", _files.RunConf, _files.ClusterConf, "--role", RoleOf(node), "--as", node, "--runs-dir", _files.RunsOf(node), .. sets.SelectMany(set => new[] { "--set", set })];
    }

    private string HostOf(string node) => Network?.AddressOf(node) ?? "127.0.0.1";

    private void IssueCertificates()
    {
        var folder = new CertificateFolder(_files.Certificates, TimeProvider.System);
        folder.CreateAuthority("Chaos", 10);
        foreach (var name in Names) folder.Issue(name, [HostOf(name)], 9);
    }

    private static ProcessStartInfo Quiet(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove(Password);
        start.Environment[Interruption.Supervised] = "1";
        start.Environment[Mark] = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}");
        return start;
    }
}
