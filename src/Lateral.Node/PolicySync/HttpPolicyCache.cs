using System.Diagnostics;
using System.Text.RegularExpressions;
using Lateral.Core.Policies;
using Lateral.Core.Security;

namespace Lateral.Node.PolicySync;

/// <param name="Server">where the learner's node serves its policies: <see cref="PolicyServer.Address"/></param>
/// <param name="Folder">shared by every process of the node; made if absent</param>
/// <param name="Keep">newest versions kept, besides the one asked for last</param>
/// <param name="Token">null = mutual TLS alone says who asks</param>
/// <param name="Identity">null = plain HTTP, to a loopback address only; owned by the caller</param>
public sealed record PolicyCacheSettings(Uri Server, string Folder, int Keep, TimeSpan Stall, TimeSpan Deadline, PolicyToken? Token, NodeIdentity? Identity)
{
    /// <summary>Told why an attempt failed, before the next.</summary>
    public Action<string>? Retrying { get; init; }

    /// <summary>Told of every download that ended well.</summary>
    public Action<PolicyDownloaded>? Downloaded { get; init; }
}

/// <param name="Received">payload bytes over the network, all attempts together</param>
public sealed record PolicyDownloaded(int Version, long Received, int Attempts, TimeSpan Took);

/// <summary>
/// The policies of a run on a node without its directory: consumes manifests, produces paths of verified local copies. Whoever
/// asks for a policy that is on its way waits for the same download, in this process and in any other on the node. Every wait ends
/// at the deadline, with its cause.
/// </summary>
public sealed partial class HttpPolicyCache : IPolicyCache, IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(5);

    private readonly PolicyCacheSettings _settings;
    private readonly CacheFolder _folder;
    private readonly HttpClient _http;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<string>> _underway = new(StringComparer.Ordinal);
    private readonly HashSet<string> _verified = new(StringComparer.Ordinal);

    /// <exception cref="UserException">the token would travel unencrypted</exception>
    public HttpPolicyCache(PolicyCacheSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _folder = new CacheFolder(settings.Folder, settings.Keep);
        _http = DataPlane.Client(settings.Server, settings.Identity);
    }

    /// <inheritdoc/>
    /// <remarks>A caller that gives up leaves the download to the others, and to whoever asks next.</remarks>
    public Task<string> FetchAsync(PolicyManifest manifest, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (Mistake(manifest) is { } mistake) return Task.FromException<string>(new PolicyUnavailableException($"policy v{manifest.Version}: {mistake}"));
        var path = _folder.PathOf(manifest);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
            if (!_underway.TryGetValue(path, out var shared)) shared = _underway[path] = Task.Run(() => EnsureAsync(manifest, path), CancellationToken.None);
            return shared.WaitAsync(cancellation);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested) return;
            _stopping.Cancel();
        }

        _http.Dispose();
    }

    private static string? Mistake(PolicyManifest manifest) =>
        manifest.Refusal is { } refusal ? refusal
        : !PolicyProtocol.Knows(manifest.Kind) ? $"its payload is of kind {manifest.Kind}, which this node does not know - use the same version of Lateral on every node"
        : manifest.Version < 0 || manifest.Bytes <= 0 || !Sha256().IsMatch(manifest.Hash) ? $"its manifest is damaged ({manifest.Bytes} bytes, hash '{manifest.Hash}') - it was not made by a learner"
        : null;

    private async Task<string> EnsureAsync(PolicyManifest policy, string path)
    {
        try
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            deadline.CancelAfter(_settings.Deadline);
            var known = Verified(path) ? File.Exists(path) : await _folder.VerifyAsync(policy, deadline.Token);
            if (!known) await DownloadAsync(policy, deadline.Token);
            lock (_gate) _verified.Add(path);
            _folder.Prune(policy);
            return path;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            var why = EnvironmentProblem.IsDiskFull(error) ? $"the disk has no room for its {policy.Bytes >> 20} MiB - free some, or set policies.cache-dir to a folder on another disk" : $"{error.Message} - policies.cache-dir names another folder";
            throw new PolicyUnavailableException($"policy v{policy.Version}: {_settings.Folder} cannot be used: {why}", error);
        }
        finally
        {
            lock (_gate) _underway.Remove(path);
        }
    }

    private async Task DownloadAsync(PolicyManifest policy, CancellationToken deadline)
    {
        var (started, pause, attempts, received) = (Stopwatch.GetTimestamp(), FirstPause, 0, 0L);
        var cause = "another process of this node is fetching it";
        try
        {
            // The process that holds the part finishes it, or dies and leaves it to this one.
            while (!await _folder.VerifyAsync(policy, deadline))
            {
                var download = new PolicyDownload(_http, _settings.Server, _settings.Token, _settings.Stall);
                try
                {
                    if (await AttemptAsync(download, policy, deadline))
                    {
                        _settings.Downloaded?.Invoke(new PolicyDownloaded(policy.Version, received + download.Received, attempts + 1, Stopwatch.GetElapsedTime(started)));
                        return;
                    }
                }
                catch (TornDownloadException torn)
                {
                    (cause, attempts, received) = (torn.Message, attempts + 1, received + download.Received);
                    if (attempts > 1 && pause < LongestPause) pause *= 2;
                    _settings.Retrying?.Invoke($"policy v{policy.Version}, attempt {attempts}: {cause}; next in {pause.TotalSeconds:0.0} s");
                }

                await Task.Delay(pause, deadline);
            }
        }
        catch (OperationCanceledException error) when (!_stopping.IsCancellationRequested)
        {
            throw new PolicyUnavailableException(
                $"policy v{policy.Version} did not come from {_settings.Server} within {_settings.Deadline.TotalSeconds:0.#} s ({attempts} attempts, {received:N0} of {policy.Bytes:N0} bytes): {cause} - "
                + "is the learner's node up, and its policies.port open to this node?",
                error);
        }
    }

    /// <returns>false while another process holds the part, or when it has just finished it</returns>
    private async Task<bool> AttemptAsync(PolicyDownload download, PolicyManifest policy, CancellationToken deadline)
    {
        await using (var part = _folder.TryOpenPart(policy))
        {
            if (part is null) return false;
            if (File.Exists(_folder.PathOf(policy)))
            {
                _folder.Abandon(policy);
                return false;
            }

            await download.RunAsync(policy, part, deadline);
        }

        _folder.Adopt(policy);
        return true;
    }

    private bool Verified(string path)
    {
        lock (_gate) return _verified.Contains(path);
    }

    [GeneratedRegex("^[0-9a-f]{64}$", RegexOptions.NonBacktracking)]
    private static partial Regex Sha256();
}
