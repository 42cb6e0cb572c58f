using System.Reflection;
using System.Runtime.Loader;

namespace Lateral.Rewards.Own;

/// <summary>
/// Where an assembly of the user's lives with its own dependencies, which lie beside it, in whatever versions. What the program and the reward exchange is the
/// program's own: Lateral.Core, and what that is made of.
/// </summary>
/// <remarks>
/// Assemblies are read into memory, so that a project may be built again while a run uses it; their <see cref="Assembly.Location"/> is therefore empty.
/// </remarks>
internal sealed class OwnRewardContext(string path) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(path))
{
    private static readonly HashSet<string> Shared =
        [AssemblyFile.Core.Name!, .. typeof(Core.Rewards.IReward).Assembly.GetReferencedAssemblies().Select(reference => reference.Name!)];

    private readonly AssemblyDependencyResolver _resolver = new(Path.GetFullPath(path));

    public Assembly LoadMain() => LoadFile(Path.GetFullPath(path));

    protected override Assembly? Load(AssemblyName assemblyName) =>
        Shared.Contains(assemblyName.Name ?? "") || _resolver.ResolveAssemblyToPath(assemblyName) is not { } dependency ? null : LoadFile(dependency);

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } library ? LoadUnmanagedDllFromPath(library) : 0;

    private Assembly LoadFile(string file)
    {
        using var code = new MemoryStream(File.ReadAllBytes(file));
        var symbols = Path.ChangeExtension(file, ".pdb");
        if (!File.Exists(symbols)) return LoadFromStream(code);
        // Line numbers in what a reward throws.
        using var lines = new MemoryStream(File.ReadAllBytes(symbols));
        return LoadFromStream(code, lines);
    }
}
