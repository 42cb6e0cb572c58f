using System.Security.Cryptography;
using Lateral.Core.Policies;

namespace Lateral.Node.Runs;

/// <summary>Policies of a run whose directory this process can read: the published file itself, verified once.</summary>
public sealed class LocalPolicyCache(RunDirectory directory) : IPolicyCache
{
    private readonly Lock _gate = new();
    private string? _verified;

    public async Task<string> FetchAsync(PolicyManifest manifest, CancellationToken cancellation)
    {
        if (manifest.Refusal is { } refusal) throw new PolicyUnavailableException($"policy v{manifest.Version}: {refusal}");
        var path = directory.Resolve(manifest.Location);
        lock (_gate)
        {
            // Published files never change, so the newest need not be hashed again for each sampler.
            if (_verified == manifest.Hash && File.Exists(path)) return path;
        }

        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, useAsync: true);
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
            if (hash != manifest.Hash)
            {
                throw new PolicyUnavailableException($"policy {manifest.Version}: {path} has SHA-256 {hash} but was published as {manifest.Hash}; the file was changed or is torn");
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PolicyUnavailableException($"policy {manifest.Version}: {path} cannot be read: {error.Message}", error);
        }

        lock (_gate) _verified = manifest.Hash;
        return path;
    }
}
