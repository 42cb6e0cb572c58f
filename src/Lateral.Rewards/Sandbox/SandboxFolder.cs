using System.Runtime.Versioning;
using Lateral.Rewards.Sandbox.Filter;
using Lateral.Rewards.Sandbox.Kernel;

namespace Lateral.Rewards.Sandbox;

/// <summary>A sandbox's pipes and filters, a folder a slot, below the temporary folder. A lock says that it is in use, so that one whose owner was killed is taken away by the next.</summary>
internal sealed class SandboxFolder : IDisposable
{
    private const string Prefix = "lateral-sandbox-", Owner = "owner";

    private readonly DirectoryInfo _folder;
    private readonly FileStream _lock;

    private SandboxFolder(DirectoryInfo folder) => (_folder, _lock) = (folder, Lock(folder.FullName, FileMode.CreateNew));

    [SupportedOSPlatform("linux")]
    public static SandboxFolder Make()
    {
        var folder = Directory.CreateTempSubdirectory(Prefix);
        // Slots' users have to get to their own folders, and see no others.
        if (Native.IsRoot) File.SetUnixFileMode(folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return new SandboxFolder(folder);
    }

    /// <summary>Folders that nobody holds; those of other users stay.</summary>
    public static void Sweep()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), Prefix + "*").Where(folder => File.Exists(Path.Combine(folder, Owner))))
        {
            try
            {
                using var _ = Lock(folder, FileMode.Open);
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception held) when (held is IOException or UnauthorizedAccessException)
            {
                // In use, or another user's.
            }
        }
    }

    /// <returns>the slot's folder</returns>
    /// <param name="user">who may open what is in it; null = this process' user</param>
    [SupportedOSPlatform("linux")]
    public string MakeSlot(int slot, int? user)
    {
        var path = Path.Combine(_folder.FullName, $"{slot}");
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var pipe in new[] { "in", "out", "err", "status" }) Native.MakePipe(Path.Combine(path, pipe), user);
        File.WriteAllBytes(Path.Combine(path, "filter"), SeccompFilter.Program);
        Native.Give(path, user);
        return path;
    }

    public void Dispose()
    {
        _lock.Dispose();
        _folder.Delete(recursive: true);
    }

    private static FileStream Lock(string folder, FileMode mode) => new(Path.Combine(folder, Owner), mode, FileAccess.ReadWrite, FileShare.None);
}
