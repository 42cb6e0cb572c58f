using System.Diagnostics;
using Lateral.Node.Tests.Processes;
using Xunit.Abstractions;

namespace Lateral.Node.Tests.BrokenFiles;

/// <summary>
/// Every broken file of the folder, through the real command line: all its mistakes, each at its place and with its cure,
/// nothing else, exit code 2, no stack trace, at once. What is expected stands in expected.txt.
/// </summary>
public sealed class BrokenFileTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>Against a hang only: a busy machine may be slow, and the time itself is printed.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private const string Variable = "LATERAL_TEST_STEPS";

    private static readonly string Folder = Path.Combine(Path.GetDirectoryName(Fixtures.Hocon("."))!, "..", "tests", "Lateral.Node.Tests", "BrokenFiles");

    private static readonly string Files = Path.GetFullPath(Path.Combine(Folder, "files")) + Path.DirectorySeparatorChar;

    private static readonly IReadOnlyList<BrokenFile> Cases = BrokenFile.Read(Path.Combine(Folder, "expected.txt"));

    private readonly string? _before = Environment.GetEnvironmentVariable(Variable);

    public static TheoryData<string> Names() => [.. Cases.Select(broken => broken.Name)];

    public void Dispose() => Environment.SetEnvironmentVariable(Variable, _before);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Broken_file_must_be_explained(string name)
    {
        var broken = Cases.Single(known => known.Name == name);
        Environment.SetEnvironmentVariable(Variable, "many");
        var clock = Stopwatch.StartNew();
        var (code, printed, error) = await Shell.RunAsync(["config", "check", .. broken.Arguments(Files)]).WaitAsync(Deadline);
        output.WriteLine($"{name}: {clock.Elapsed.TotalMilliseconds:0} ms");
        output.WriteLine(error);
        Assert.Equal((2, ""), (code, printed));
        broken.AssertToldBy(error.Replace(Files, "", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_file_of_the_folder_must_have_an_expectation()
    {
        var named = Cases.SelectMany(broken => broken.Words).ToHashSet(StringComparer.Ordinal);
        Assert.All(Directory.EnumerateFiles(Files).Select(file => Path.GetFileName(file)), file => Assert.Contains(file, named));
        Assert.True(Cases.Count >= 80, $"{Cases.Count} broken files are too few");
    }

    [Theory]
    [InlineData("brace-missing.conf")]
    [InlineData("unquoted-colon.conf")]
    [InlineData("many-in-settings.conf")]
    [InlineData("base.conf binary.conf")]
    public async Task Real_process_must_explain_it_too(string name)
    {
        var clock = Stopwatch.StartNew();
        var broken = Cases.Single(known => known.Name == name);
        var (code, text) = await LateralProcess.RunAsync(["config", "check", .. broken.Arguments(Files)]);
        output.WriteLine($"{name}: {clock.Elapsed.TotalMilliseconds:0} ms with the start of the process");
        Assert.Equal(2, code);
        broken.AssertToldBy(text.Replace(Files, "", StringComparison.Ordinal));
    }
}
