namespace Lateral.Architecture.Tests;

/// <summary>The house rules that a scan of the sources can hold.</summary>
public sealed class HouseTests
{
    private const int MostLines = 350;

    private static readonly string[] TopLevel = ["src", "hocon", "tests", "deploy", "docs", "Actors.sln", "build.ps1", "README.md"];

    public static TheoryData<string> Sources { get; } = new(Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(Sources))]
    public void Source_file_must_be_short_and_finished(string file)
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, file));
        Assert.True(lines.Length <= MostLines, $"{file} has {lines.Length} lines; is it one thing?");
        Assert.DoesNotContain(lines, line => line.Contains("NotImplementedException", StringComparison.Ordinal) || line.Contains("Console.Write", StringComparison.Ordinal) && !file.StartsWith("src/Lateral.Node/", StringComparison.Ordinal));
    }

    [Fact]
    public void Top_level_must_be_what_the_readers_expect()
    {
        var entries = Directory.GetFileSystemEntries(Repository.Root).Select(Path.GetFileName).ToHashSet();
        Assert.All(TopLevel, name => Assert.Contains(name, entries));
        var folders = Directory.GetDirectories(Repository.Root).Select(folder => Path.GetFileName(folder)!).Where(name => name[0] != '.');
        Assert.All(folders, name => Assert.Contains(name, (string[])["src", "hocon", "tests", "deploy", "docs", "runs", "artifacts", "TestResults"]));
    }
}
