using System.Diagnostics;
using Lateral.Benchmarks.Measuring;
using Lateral.Rewards.Code;
using Lateral.Rewards.Sandbox;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>Programs a second through the sandbox, and how long one takes, over starting Python alone.</summary>
internal static class SandboxBenchmark
{
    private const string Trivial = "print(sum(range(10)))";

    private static readonly CodeProblem Problem = new CodeProblem.Mbpp("", ["assert double(2) == 4", "assert double('a') == 'aa'", "assert double([1]) == [1, 1]"]);

    public static async Task RunAsync(Options options, Report report)
    {
        var count = options.Quick ? 60 : 400;
        List<string[]> rows = [["", "slots", "a second", "ms p50", "p95", "p99", "over plain Python"]];
        try
        {
            foreach (var slots in new[] { 1, 2, 4 })
            {
                var plain = await MeasureAsync(count, slots, PlainAsync);
                rows.Add(Row("plain Python", slots, plain, plain));
                await using var sandbox = await PythonSandbox.OpenAsync(new SandboxSettings { Slots = slots }, default);
                rows.Add(Row("a trivial program", slots, await MeasureAsync(count, slots, () => SandboxedAsync(sandbox)), plain));
                await using var judge = new CodeJudge(new GuardedSandbox(new SandboxSettings { Slots = slots }, TimeProvider.System));
                rows.Add(Row("three assertions", slots, await MeasureAsync(count, slots, () => JudgedAsync(judge)), plain));
                if (slots == 1) report.Line($"missing here: {(sandbox.Protection.Missing.Count == 0 ? "nothing" : string.Join("; ", sandbox.Protection.Missing))}");
            }
        }
        catch (SandboxUnavailableException missing)
        {
            report.Line($"nothing is measured: {missing.Message}");
            return;
        }

        report.Table(rows);
    }

    private static string[] Row(string what, int slots, (double Rate, double[] Milliseconds) measured, (double Rate, double[] Milliseconds) plain)
    {
        var sorted = measured.Milliseconds.Order().ToArray();
        return [what, $"{slots}", Number(measured.Rate, "0.0"), At(.5), At(.95), At(.99), Number(plain.Rate / measured.Rate, "0.00")];

        string At(double part) => Number(sorted[(int)(part * (sorted.Length - 1))], "0.0");
    }

    private static async Task<(double Rate, double[] Milliseconds)> MeasureAsync(int count, int slots, Func<Task> run)
    {
        for (var i = 0; i < 2 * slots; i++) await run();
        var (milliseconds, next, start) = (new double[count], -1, Stopwatch.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, slots).Select(_ => Task.Run(async () =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count;)
            {
                var begin = Stopwatch.GetTimestamp();
                await run();
                milliseconds[i] = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            }
        })));
        return (count / Stopwatch.GetElapsedTime(start).TotalSeconds, milliseconds);
    }

    private static async Task PlainAsync()
    {
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-I", "-S", "-B", "-c", Trivial]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var printed = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (printed.Trim() != "45") throw new InvalidOperationException($"plain Python printed '{printed}'");
    }

    private static async Task SandboxedAsync(PythonSandbox sandbox)
    {
        var result = await sandbox.RunAsync(new SandboxJob(Trivial), default);
        if (result is not SandboxResult.Exited { Code: 0, Output: [(byte)'4', (byte)'5', (byte)'\n'] }) throw new InvalidOperationException($"{result}");
    }

    private static async Task JudgedAsync(CodeJudge judge)
    {
        var judgement = await judge.JudgeAsync(Problem, "def double(x):\n    return x * 2\n", default);
        if (judgement is not CodeJudgement.Judged { Passed: 3, Trusted: true }) throw new InvalidOperationException($"{judgement}");
    }
}
