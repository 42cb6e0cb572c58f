namespace Lateral.Tests;

/// <summary>The folder of parity fixtures and real data that stands beside a development checkout; a user's clone has none.</summary>
internal static class SharedFolder
{
    public static string? Root { get; } = Find();

    public static string Path(params string[] parts) =>
        System.IO.Path.Combine([Root ?? throw new InvalidOperationException("no shared folder"), .. parts]);

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(System.IO.Path.Combine(folder.FullName, "Actors.sln"))) continue;
            var shared = System.IO.Path.Combine(folder.FullName, "..", "shared");
            return Directory.Exists(shared) ? System.IO.Path.GetFullPath(shared) : Environment.GetEnvironmentVariable("LATERAL_SHARED");
        }

        return Environment.GetEnvironmentVariable("LATERAL_SHARED");
    }
}

/// <summary>A fact that reads the shared folder; it is skipped, saying so, where the folder is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute()
    {
        if (SharedFolder.Root is null) Skip = "needs the parity fixtures in ../shared, which this checkout does not have";
    }
}

/// <summary>A theory that reads the shared folder; it is skipped, saying so, where the folder is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedTheoryAttribute : TheoryAttribute
{
    public SharedTheoryAttribute()
    {
        if (SharedFolder.Root is null) Skip = "needs the parity fixtures in ../shared, which this checkout does not have";
    }
}
