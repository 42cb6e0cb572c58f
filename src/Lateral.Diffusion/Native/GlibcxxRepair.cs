using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lateral.Diffusion.Native;

/// <summary>
/// Makes LibTorchSharp load on systems whose libstdc++ is older than GCC 13 (Debian 12, Ubuntu 22.04, RHEL 9).
/// It asks for GLIBCXX_3.4.32 only through `std::ios_base_library_init()`, an empty link-time marker that no relocation uses,
/// so marking that one version requirement as weak (one bit, in a copy) lets the loader accept an older runtime.
/// </summary>
internal static class GlibcxxRepair
{
    public const string Version = "GLIBCXX_3.4.32";
    public const string Marker = "_ZSt21ios_base_library_initv";
    private const ushort Weak = 0x2; // VER_FLG_WEAK

    /// <summary>The repaired bytes; throws when the file needs the version for anything but the marker, because then the repair would hide a real gap.</summary>
    public static byte[] Repair(byte[] original)
    {
        var image = new ElfImage(original);
        var needs = image.VersionNeeds().Where(need => need.Name == Version).ToList();
        if (needs is not [var need])
            throw new NativeBackendException($"expected one requirement of {Version} in LibTorchSharp, found {needs.Count}; this TorchSharp needs another repair");
        var users = image.Symbols().Where(symbol => symbol.VersionIndex == need.Index).Select(symbol => symbol.Name).ToList();
        if (users is not [Marker])
            throw new NativeBackendException(
                $"LibTorchSharp needs {Version} for {string.Join(", ", users)}, not only for the empty marker {Marker}: this system's libstdc++ is really too old. Install the C++ runtime of GCC 13 or newer.");

        var repaired = (byte[])original.Clone();
        var flags = repaired.AsSpan(need.FlagsOffset, 2);
        BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | Weak));
        return repaired;
    }

    /// <summary>Writes the repaired copy of <paramref name="library"/> into the user's cache and returns its path; safe when several processes start at once.</summary>
    public static string RepairedCopy(string library, string cacheRoot)
    {
        var original = File.ReadAllBytes(library);
        var repaired = Repair(original);
        var folder = Path.Combine(cacheRoot, "native", Convert.ToHexStringLower(SHA256.HashData(original))[..16]);
        var target = Path.Combine(folder, Path.GetFileName(library));
        if (File.Exists(target) && File.ReadAllBytes(target).AsSpan().SequenceEqual(repaired)) return target;

        CreatePrivate(folder);
        var temporary = Path.Combine(folder, $"{Guid.NewGuid():N}.tmp");
        File.WriteAllBytes(temporary, repaired);
        File.Move(temporary, target, overwrite: true);
        return target;
    }

    /// <summary>The user's cache, or a fresh private folder where the home cannot be written (a container with a read-only home).</summary>
    public static string CacheRoot()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg : home is "" ? null : Path.Combine(home, ".cache");
        if (cache is null) return Directory.CreateTempSubdirectory("lateral-").FullName;
        var root = Path.Combine(cache, "lateral");
        try
        {
            CreatePrivate(root);
            return root;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Directory.CreateTempSubdirectory("lateral-").FullName;
        }
    }

    // A library that will be loaded must not lie where another user can replace it.
    private static void CreatePrivate(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
