using System.Security.Cryptography;
using Lateral.Benchmarks.Measuring;
using Lateral.Core.Policies;
using Lateral.Core.Security;
using Lateral.Node.PolicySync;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>
/// A policy from its server to a verified, durable file over loopback, against copying the same file here with the same
/// hash and sync. Both sides of the connection run in this process, so cpu counts server and cache.
/// </summary>
internal static class PolicySyncBenchmark
{
    private const long MB = 1_000_000;

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder();
        using var identity = await CertificatesAsync(folder.Path);
        List<string[]> rows = [["payload", "copy s", "copy MB/s", "fetch s", "fetch MB/s", "fetch / copy, wall", "cpu"]];
        foreach (var (bytes, pairs) in options.Quick ? [(100 * MB, 3)] : new[] { (100 * MB, 9), (2000 * MB, 3) })
        {
            // The kinds differ in what is in them, not in their way: the figures say so.
            foreach (var kind in new[] { PayloadKind.Full, PayloadKind.Adapter })
            {
                var policy = Publish(folder.Path, bytes, kind);
                foreach (var tls in new[] { null, identity }) rows.Add(await MeasureAsync(folder.Path, policy, tls, pairs));
                File.Delete(Path.Combine(folder.Path, policy.Location));
            }
        }

        report.Table(rows);
        report.Line($"copy: read, SHA-256, write, fsync, rename; fetch: the same through a connection, the server's hash announced by the publisher; medians");
    }

    private static async Task<string[]> MeasureAsync(string folder, PolicyManifest policy, NodeIdentity? identity, int pairs)
    {
        var policies = new PublishedPolicies(Path.Combine(folder, "policies"));
        policies.Announce(policy);
        var token = identity is null ? PolicyToken.Draw() : null;
        await using var server = await PolicyServer.StartAsync(policies, new PolicyServerSettings("127.0.0.1", 0, 4, TimeSpan.FromMinutes(10), token, identity), default);
        var measured = new List<Pair>();
        // The first of each fills caches and pools, and does not count.
        for (var i = -1; i < pairs; i++)
        {
            var copy = await CostAsync(() => CopyAsync(Path.Combine(folder, policy.Location), Path.Combine(folder, "copy"), policy.Hash));
            File.Delete(Path.Combine(folder, "copy"));
            using var cache = new HttpPolicyCache(new PolicyCacheSettings(server.Address, Path.Combine(folder, "cache"), 1, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(10), token, identity));
            var fetch = await CostAsync(() => cache.FetchAsync(policy, default));
            File.Delete(await cache.FetchAsync(policy, default));
            if (i >= 0) measured.Add(new Pair(fetch, copy));
        }

        var (copied, fetched) = (Spread.Of(measured.Select(pair => pair.Bare.Wall)).Median, Spread.Of(measured.Select(pair => pair.Product.Wall)).Median);
        return
        [
            $"{policy.Kind.ToString().ToLowerInvariant()}, {policy.Bytes / MB:#,0} MB, {(identity is null ? "http" : "https")}", Number(copied, "0.00"), Number(policy.Bytes / copied / MB, "#,0"), Number(fetched, "0.00"), Number(policy.Bytes / fetched / MB, "#,0"),
            Spread.Of(measured.Select(pair => pair.WallRatio)).ToString(), Spread.Of(measured.Select(pair => pair.CpuRatio)).ToString(),
        ];
    }

    private static async Task<Cost> CostAsync(Func<Task> work)
    {
        var start = Cost.Now;
        await work();
        return Cost.Now - start;
    }

    /// <summary>What a node with a shared file system would do: the floor for bringing a policy to a disk and knowing that it is right.</summary>
    private static async Task CopyAsync(string from, string to, string expected)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using (var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.Asynchronous | FileOptions.SequentialScan))
        await using (var target = new FileStream($"{to}.part", new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0, PreallocationSize = source.Length, Options = FileOptions.Asynchronous }))
        {
            var buffer = new byte[1 << 18];
            while (await source.ReadAsync(buffer) is > 0 and var count)
            {
                hash.AppendData(buffer, 0, count);
                await target.WriteAsync(buffer.AsMemory(0, count));
            }

            target.Flush(flushToDisk: true);
        }

        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != expected) throw new InvalidDataException("the copy is not the original");
        File.Move($"{to}.part", to);
    }

    private static PolicyManifest Publish(string folder, long bytes, PayloadKind kind)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "policies")).FullName, PolicyProtocol.FileName(1, kind));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var file = File.Create(path))
        {
            var block = new byte[1 << 20];
            for (var left = bytes; left > 0; left -= block.Length)
            {
                var count = (int)Math.Min(left, block.Length);
                RandomNumberGenerator.Fill(block);
                hash.AppendData(block, 0, count);
                file.Write(block, 0, count);
            }

            file.Flush(flushToDisk: true);
        }

        return new PolicyManifest(1, 1, Convert.ToHexStringLower(hash.GetHashAndReset()), "", kind, bytes, $"policies/{Path.GetFileName(path)}");
    }

    /// <summary>As an operator makes them.</summary>
    private static async Task<NodeIdentity> CertificatesAsync(string folder)
    {
        var certificates = Path.Combine(folder, "certs");
        var terminal = new Node.Cli.Terminal(TextWriter.Null, Console.Error, null);
        foreach (string[] command in new[] { ["certs", "init", "--dir", certificates], new[] { "certs", "issue", "node", "--host", "127.0.0.1", "--dir", certificates } })
            if (await Node.Cli.CommandLine.RunAsync(command, terminal) != 0) throw new InvalidOperationException("no certificates");
        return NodeIdentity.Load(new TlsSettings(Path.Combine(certificates, "ca.crt"), Path.Combine(certificates, "node.crt"), Path.Combine(certificates, "node.key")));
    }
}
