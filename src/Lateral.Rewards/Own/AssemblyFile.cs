using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Lateral.Rewards.Own;

/// <summary>What an assembly says of itself before any of its code is loaded.</summary>
internal static class AssemblyFile
{
    /// <summary>The name of the assembly that rewards and this program share.</summary>
    public static AssemblyName Core { get; } = typeof(Core.Rewards.IReward).Assembly.GetName();

    /// <exception cref="OwnRewardException">no file, no assembly, or one that cannot run in this program</exception>
    public static void Require(string path)
    {
        if (Directory.Exists(path)) throw new OwnRewardException($"path = {path} is a folder - name the assembly in it, for example {Path.Combine(path, "MyReward.dll")}");
        if (!File.Exists(path)) throw new OwnRewardException($"path = {path} does not exist (looked for {Path.GetFullPath(path)}) - build the project first: dotnet build; lateral init reward makes one to begin with");
        try
        {
            using var file = new PEReader(File.OpenRead(path));
            if (!file.HasMetadata) throw NoAssembly(path);
            Require(path, file.GetMetadataReader());
        }
        catch (BadImageFormatException error)
        {
            throw NoAssembly(path, error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OwnRewardException($"path = {path} cannot be read: {error.Message}", error);
        }
    }

    private static void Require(string path, MetadataReader metadata)
    {
        if (!metadata.IsAssembly) throw NoAssembly(path);
        var references = metadata.AssemblyReferences.Select(handle => metadata.GetAssemblyReference(handle)).ToDictionary(reference => metadata.GetString(reference.Name), reference => reference.Version, StringComparer.OrdinalIgnoreCase);
        var runtime = Environment.Version.Major;
        if (references.TryGetValue("System.Runtime", out var built) && built.Major > runtime)
            throw new OwnRewardException($"path = {path} is built for .NET {built.Major}, and this program runs on .NET {runtime} - write <TargetFramework>net{runtime}.0</TargetFramework> in its project and build it again");
        if (!references.TryGetValue(Core.Name!, out var core)) throw new OwnRewardException($"path = {path} does not use {Core.Name}, so there is no reward in it - name the assembly whose class implements IReward");
        if (core > Core.Version) throw new OwnRewardException($"path = {path} is built for {Core.Name} {core}, and this program has {Core.Version} - build it against the {Core.Name}.dll in {AppContext.BaseDirectory}");
    }

    private static OwnRewardException NoAssembly(string path, Exception? cause = null) =>
        new($"path = {path} is no .NET assembly - name the project's .dll, not its source or its executable", cause);
}
