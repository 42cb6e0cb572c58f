namespace Lateral.Architecture.Tests;

/// <summary>The checkout's first impression.</summary>
public sealed class HouseTests
{
    private static readonly string[] Folders = ["src", "hocon", "tests", "deploy", "docs", "runs", "artifacts", "TestResults"];

    [Fact]
    public void Top_level_must_be_what_readers_expect()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Actors.sln"))) root = root.Parent ?? throw new InvalidOperationException("no Actors.sln above the tests");
        var entries = root.GetFileSystemInfos().Select(entry => entry.Name).ToHashSet();
        Assert.All((string[])["src", "hocon", "tests", "deploy", "docs", "Actors.sln", "build.ps1", "README.md"], name => Assert.Contains(name, entries));
        Assert.All(root.GetDirectories().Select(folder => folder.Name).Where(name => name[0] != '.'), name => Assert.Contains(name, Folders));
    }
}
