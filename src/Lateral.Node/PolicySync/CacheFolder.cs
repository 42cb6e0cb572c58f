using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Lateral.Core;
using Lateral.Core.Policies;

namespace Lateral.Node.PolicySync;

/// <summary>
/// A node's downloaded policies. <c>v17-9f3c...safetensors</c> is whole and verified, <c>.part</c> is as much as has come and is held
/// by the one process that adds to it. Invariant: a final name never holds anything but its manifest's bytes, as they were
/// when it was given; names come from version and hash alone.
/// </summary>
internal sealed partial class CacheFolder(string path, int keep)
{
    private const int LockedLinux = 11, LockedMac = 35, LockedWindows = 32;

    private static readonly UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string PathOf(PolicyManifest policy) => Path.Combine(path, string.Create(CultureInfo.InvariantCulture, $"v{policy.Version}-{policy.Hash}{(policy.Kind == PayloadKind.Adapter ? ".adapter" : "")}.safetensors"));

    public string PartOf(PolicyManifest policy) => PathOf(policy) + ".part";

    /// <summary>The part's file, nobody else's until it is closed; null while another process holds it.</summary>
    /// <exception cref="IOException">the folder cannot be written, or the disk has no room for the rest of the payload</exception>
    public FileStream? TryOpenPart(PolicyManifest policy)
    {
        CreateFolder();
        var name = PartOf(policy);
        var options = new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0, Options = FileOptions.Asynchronous };
        try
        {
            if (File.Exists(name)) return new FileStream(name, options);
            // Room for all of it is taken first: a full disk is met before anything is sent.
            (options.Mode, options.PreallocationSize) = (FileMode.CreateNew, policy.Bytes);
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Private;
            return new FileStream(name, options);
        }
        catch (FileNotFoundException)
        {
            // Another process finished it in between.
            return null;
        }
        catch (IOException error) when ((error.HResult & 0xFFFF) is LockedLinux or LockedMac or LockedWindows || (error is not DirectoryNotFoundException && File.Exists(name) && !EnvironmentProblem.IsDiskFull(error)))
        {
            return null;
        }
    }

    /// <summary>Gives a complete and verified part its final name, durably.</summary>
    public void Adopt(PolicyManifest policy)
    {
        try
        {
            File.Move(PartOf(policy), PathOf(policy), overwrite: true);
        }
        catch (FileNotFoundException) when (File.Exists(PathOf(policy)))
        {
            // Another process took over the same complete part between closing and renaming it.
        }

        DurableFile.SyncDirectory(path);
    }

    /// <summary>Deletes a part that nobody needs any more.</summary>
    public void Abandon(PolicyManifest policy) => File.Delete(PartOf(policy));

    /// <summary>Whether the file is there and still what it was: a damaged one is deleted.</summary>
    public async Task<bool> VerifyAsync(PolicyManifest policy, CancellationToken cancellation)
    {
        var final = PathOf(policy);
        if (!File.Exists(final)) return false;
        await using (var file = new FileStream(final, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.Asynchronous | FileOptions.SequentialScan))
            if (file.Length == policy.Bytes && Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation)) == policy.Hash) return true;
        File.Delete(final);
        return false;
    }

    /// <summary>Keeps the newest versions, and the one that was just asked for.</summary>
    public void Prune(PolicyManifest asked)
    {
        var files = Directory.EnumerateFiles(path, "v*").Select(file => (File: file, Match: Name().Match(Path.GetFileName(file)))).Where(pair => pair.Match.Success)
            .Select(pair => (pair.File, Version: int.Parse(pair.Match.Groups["version"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture))).ToList();
        var kept = files.Where(pair => !pair.File.EndsWith(".part", StringComparison.Ordinal)).Select(pair => pair.Version).Distinct().OrderDescending().Take(keep).Append(asked.Version).ToHashSet();
        var oldest = kept.Min();
        // A part may belong to a download that is under way, unless its version is older than all that are kept.
        foreach (var (file, version) in files.Where(pair => !kept.Contains(pair.Version) && (pair.Version < oldest || !pair.File.EndsWith(".part", StringComparison.Ordinal)))) File.Delete(file);
    }

    private void CreateFolder()
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, Private | UnixFileMode.UserExecute);
    }

    [GeneratedRegex(@"^v(?<version>[0-9]{1,9})-[0-9a-f]{64}(\.adapter)?\.safetensors(\.part)?$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Name();
}
