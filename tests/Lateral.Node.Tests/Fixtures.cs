using System.Collections.Immutable;
using Lateral.Actors.Settings;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using Lateral.Diffusion.Tokens;
using Lateral.Node.Cli;
using Lateral.Node.Runs;

namespace Lateral.Node.Tests;

/// <summary>A folder of its own for each test, deleted afterwards.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("lateral-test-").FullName;

    public string File(string name, string text)
    {
        var path = System.IO.Path.Combine(Path, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>Settings, reports and trajectories that tests are made of.</summary>
internal static class Fixtures
{
    public static ITokenizer Digits { get; } = new CharTokenizer("0123456789");

    public static string Hocon(string file)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!System.IO.File.Exists(Path.Combine(folder.FullName, "Actors.sln"))) folder = folder.Parent!;
        return Path.Combine(folder.FullName, "hocon", file);
    }

    public static LoadedSettings Load(string runsFolder, params string[] sets) =>
        RunSettingsLoader.Load([Hocon("quickstart.conf")], [RunSettingsLoader.Set("run.dir", runsFolder), .. sets]);

    public static RunDirectory NewRun(TemporaryFolder folder, params string[] sets)
    {
        var loaded = Load(folder.Path, sets);
        return RunDirectory.Create(loaded.Settings, new WrittenConfig("# as written\n", loaded.Resolved));
    }

    public static StepReport Report(int step, params (string Key, double Value)[] metrics) => new(
        step,
        new PolicyManifest(1, step, new string('a', 64), new string('b', 64), PayloadKind.Full, 10, $"policies/v{step}.safetensors"),
        false,
        metrics.ToImmutableSortedDictionary(m => m.Key, m => m.Value, StringComparer.Ordinal));

    public static BaseReady Base(params (string Key, double Value)[] metrics) => new(
        Report(0).Policy, new Checkpoint(0, "checkpoints/step_0", "c"), metrics.ToImmutableSortedDictionary(m => m.Key, m => m.Value, StringComparer.Ordinal));

    public static Trajectory Trajectory(long group, int sibling, string prompt, string completion, params int[] revealed) => new(
        new RolloutId(group, sibling), Digits.Encode(prompt), Digits.Encode(completion), [.. revealed],
        [.. revealed.Select(step => -0.1f * (step + 1))], [0f, 0f, 0f], 0.5f, [new PolicySpan(0, 3, "9f3c"), new PolicySpan(2, 4, "aa00")], completion);

    public static LearnerBatch Batch(int step) => new(1, step, 2,
    [
        new ScoredGroup(10, [new(Trajectory(10, 0, "31415", "11345", 0, 2, 1, 1, 0), 1, Part(1)), new(Trajectory(10, 1, "31415", "54311", 0, 2, 1, 1, -1), 0, Part(0))]),
        new ScoredGroup(11, [new(Trajectory(11, 0, "27182", "12278", 2, 2, 1, 0, 0), double.NaN, Part(1))]),
    ]);

    private static ImmutableSortedDictionary<string, double> Part(double answer) =>
        ImmutableSortedDictionary<string, double>.Empty.Add("answer", answer);
}

/// <summary>Runs the command line in this process and keeps what it printed.</summary>
internal static class Shell
{
    public static async Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CommandLine.RunAsync(arguments, new Terminal(output, error, null));
        return (code, output.ToString(), error.ToString());
    }
}

/// <summary>A fact about Linux's own files, such as /dev/full; skipped, saying so, elsewhere.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux()) Skip = "needs Linux's /dev and /proc";
    }
}

/// <summary>As <see cref="LinuxFactAttribute"/>, for several cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LinuxTheoryAttribute : TheoryAttribute
{
    public LinuxTheoryAttribute()
    {
        if (!OperatingSystem.IsLinux()) Skip = "needs Linux's /dev and /proc";
    }
}
