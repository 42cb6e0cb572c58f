using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Lateral.Core.Policies;
using Lateral.Node.PolicySync;
using Microsoft.Extensions.Logging;

namespace Lateral.Node.Tests.PolicySync;

/// <summary>A run's policies folder with random payloads, servers on it, and caches beside it; everything that was answered is kept.</summary>
internal sealed class SyncFixture : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SyncFixture() => Directory.CreateDirectory(Policies);

    public string Policies => Path.Combine(_folder.Path, "policies");

    public string CacheFolder => Path.Combine(_folder.Path, "cache");

    public PolicyToken Token { get; } = PolicyToken.Draw();

    public ConcurrentQueue<PolicyAnswered> Answers { get; } = new();

    public ConcurrentQueue<string> Retries { get; } = new();

    public ConcurrentQueue<PolicyDownloaded> Downloads { get; } = new();

    public ConcurrentQueue<string> ServerLog { get; } = new();

    /// <summary>A payload on disk, made a block at a time, and its manifest.</summary>
    public PolicyManifest Publish(int version, long bytes, PayloadKind kind = PayloadKind.Full)
    {
        var path = Path.Combine(Policies, $"v{version}{(kind == PayloadKind.Full ? "" : ".adapter")}.safetensors");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var file = new FileStream($"{path}.tmp", FileMode.Create))
        {
            var block = new byte[1 << 20];
            for (var left = bytes; left > 0; left -= block.Length)
            {
                RandomNumberGenerator.Fill(block);
                var count = (int)Math.Min(left, block.Length);
                hash.AppendData(block, 0, count);
                file.Write(block, 0, count);
            }
        }

        File.Move($"{path}.tmp", path, overwrite: true);
        return new PolicyManifest(1, version, Convert.ToHexStringLower(hash.GetHashAndReset()), "", kind, bytes, $"policies/{Path.GetFileName(path)}");
    }

    /// <summary>Everything that was answered, once it is so many: the server notes an answer after its last byte, which may have been read by then.</summary>
    public async Task<IReadOnlyList<PolicyAnswered>> AnswersAsync(int count)
    {
        var patience = Stopwatch.StartNew();
        while (Answers.Count < count && patience.Elapsed < TimeSpan.FromSeconds(20)) await Task.Delay(20);
        return [.. Answers];
    }

    public Task<PolicyServer> ServeAsync(Func<PolicyServerSettings, PolicyServerSettings>? change = null)
    {
        var settings = new PolicyServerSettings("127.0.0.1", 0, 4, TimeSpan.FromMinutes(1), Token, null) { Answered = Answers.Enqueue, Log = new QueueLog(ServerLog) };
        return PolicyServer.StartAsync(new PublishedPolicies(Policies), change?.Invoke(settings) ?? settings, default);
    }

    public HttpPolicyCache Cache(Uri server, Func<PolicyCacheSettings, PolicyCacheSettings>? change = null)
    {
        var settings = new PolicyCacheSettings(server, CacheFolder, 2, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1), Token, null) { Retrying = Retries.Enqueue, Downloaded = Downloads.Enqueue };
        return new HttpPolicyCache(change?.Invoke(settings) ?? settings);
    }

    public string PartOf(PolicyManifest policy) => Path.Combine(CacheFolder, $"v{policy.Version}-{policy.Hash}.safetensors.part");

    public static string HashOf(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Everything that the server would log, at every level.</summary>
    private sealed class QueueLog(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
