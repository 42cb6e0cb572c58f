using System.Diagnostics;
using CsCheck;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Node.Composition;
using Xunit.Abstractions;

namespace Lateral.Node.Tests.BrokenFiles;

/// <summary>Slips of the hand in every shipped file, through loader, schema and rules: read, or explained at a place inside the file.</summary>
public sealed class MutatedFileTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private static readonly string Folder = Path.GetDirectoryName(Fixtures.Hocon("reference.conf"))!;

    private static readonly string[] Slips =
        ["{", "}", "[", "]", ",", ":", "=", "+=", "\n", " ", "\"", "\"\"\"", "\\", "$", "${", "${?", "#", ".", "-", "0", "9999999999999", "x", "null", "on", "include \"quickstart.conf\"\n", "\t", "\0", "\uD800", "\r\n"];

    public static TheoryData<string> Shipped() => [.. Directory.EnumerateFiles(Folder, "*.conf", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Folder, path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Shipped))]
    public void Slip_in_a_shipped_file_must_be_read_or_explained(string file)
    {
        var (text, slowest) = (File.ReadAllText(Path.Combine(Folder, file)), TimeSpan.Zero);
        var slip = Gen.Select(Gen.Int[0, 3], Gen.Double[0, 1], Gen.Int[1, 12], Gen.Int[0, Slips.Length - 1].Select(i => Slips[i]));
        slip.Array[1, 3].Sample(slips =>
        {
            var clock = Stopwatch.StartNew();
            var broken = slips.Aggregate(text, Make);
            Assert.True(Task.Run(() => ReadOrExplain(file, broken)).Wait(Deadline), $"still running after {clock.Elapsed}: {broken}");
            if (clock.Elapsed > slowest) slowest = clock.Elapsed;
        }, iter: 60, threads: 1);
        output.WriteLine($"{file}: slowest of 60 took {slowest.TotalMilliseconds:0} ms");
    }

    private static string Make(string text, (int Kind, double Where, int Length, string Insert) slip)
    {
        var at = (int)(slip.Where * text.Length);
        var end = Math.Min(text.Length, at + slip.Length);
        return slip.Kind switch
        {
            0 => text.Insert(at, slip.Insert),
            1 => text.Remove(at, end - at),
            2 => text.Insert(at, text[at..end]),
            _ => string.Concat(text.AsSpan(0, at), slip.Insert, text.AsSpan(end)),
        };
    }

    private static void ReadOrExplain(string file, string broken)
    {
        var path = Path.Combine(Folder, file);
        var options = new HoconOptions { Environment = _ => null, ReadFile = asked => Path.GetFullPath(asked) == path ? broken : SourceText.ReadFile(asked) };
        // Runs stand alone; everything else is half a run and lies over the quickstart.
        var alone = file == "quickstart.conf" || file.StartsWith("tasks", StringComparison.Ordinal) || file.StartsWith("experiments", StringComparison.Ordinal);
        string[] below = alone ? [] : [Fixtures.Hocon("quickstart.conf")];
        try
        {
            _ = TaskComposition.Of(RunSettingsLoader.Load([.. below, path], [], options, ShippedPlugins.All).Settings);
        }
        catch (ConfigException mistakes)
        {
            Assert.NotEmpty(mistakes.Errors);
            Assert.All(mistakes.Errors, mistake => Assert.True(mistake.Origin is { Source.Length: > 0, Line: > 0, Column: > 0 } && mistake.Message.Length > 10, mistake.ToString()));
        }
        catch (UserException mistake)
        {
            Assert.Equal(ExitCode.Usage, mistake.Code);
        }
    }
}
