using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Lateral.Core.Policies;

namespace Lateral.Node.PolicySync;

/// <summary>An open payload and the hash of exactly this content, whatever happens to its name meanwhile.</summary>
internal sealed record PublishedPolicy(FileStream Content, string Hash);

/// <summary>
/// A run's <c>policies/</c> folder by version number. A payload appears there whole, by a rename, so every file is a published
/// one; a link is not followed, so nothing outside is ever read.
/// </summary>
public sealed class PublishedPolicies(string folder)
{
    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _hashing = new(1);

    /// <summary>Saves hashing a payload whose publisher has just hashed it.</summary>
    public void Announce(PolicyManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var file = new FileInfo(Path.Combine(folder, PolicyProtocol.FileName(manifest.Version, manifest.Kind)));
        if (file.Exists && file.Length == manifest.Bytes) _known[file.FullName] = new Known(file.Length, file.LastWriteTimeUtc, manifest.Hash);
    }

    /// <summary>Versions that can be had, in words for a message.</summary>
    public string Available()
    {
        var versions = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "v*.safetensors").Select(file => Path.GetFileName(file)[1..].Split('.')[0])
                .Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : -1).Where(version => version >= 0).Distinct().Order().ToList()
            : [];
        return versions.Count switch { 0 => "none is", 1 => $"v{versions[0]} is", _ => $"v{versions[0]} to v{versions[^1]} are" };
    }

    internal async Task<PublishedPolicy?> OpenAsync(int version, PayloadKind kind, CancellationToken cancellation)
    {
        var file = new FileInfo(Path.Combine(folder, PolicyProtocol.FileName(version, kind)));
        if (!file.Exists || file.LinkTarget is not null) return null;
        FileStream content;
        try
        {
            content = new FileStream(file.FullName, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.Read | FileShare.Delete, Options = FileOptions.Asynchronous | FileOptions.SequentialScan, BufferSize = 0 });
        }
        catch (FileNotFoundException)
        {
            // Pruned in between.
            return null;
        }

        try
        {
            return new PublishedPolicy(content, await HashAsync(file.FullName, content, cancellation));
        }
        catch
        {
            await content.DisposeAsync();
            throw;
        }
    }

    private async Task<string> HashAsync(string path, FileStream content, CancellationToken cancellation)
    {
        var (length, written) = (content.Length, File.GetLastWriteTimeUtc(content.SafeFileHandle));
        if (Current() is { } known) return known;
        // One at a time: a second request for the same payload finds the first one's result.
        await _hashing.WaitAsync(cancellation);
        try
        {
            if (Current() is { } meanwhile) return meanwhile;
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellation));
            content.Position = 0;
            _known[path] = new Known(length, written, hash);
            return hash;
        }
        finally
        {
            _hashing.Release();
        }

        string? Current() => _known.TryGetValue(path, out var at) && at.Length == length && at.Written == written ? at.Hash : null;
    }

    private sealed record Known(long Length, DateTime Written, string Hash);
}
