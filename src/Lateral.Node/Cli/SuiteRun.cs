using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Lateral.Core.Rewards;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Evaluation;
using Lateral.Rewards.Suites;

namespace Lateral.Node.Cli;

/// <summary><c>eval DIR --suite NAME --data FILE</c>: a published model on problems that people evaluate on.</summary>
/// <param name="Prompts">of the file, from its begin; null = all</param>
/// <param name="Samples">k of pass@k</param>
/// <param name="Unsandboxed">programs may run without walls, for tests</param>
internal sealed record SuiteRun(Suite Suite, string Folder, string? Data, int? Prompts, int Samples, int Batch, string? To, bool Unsandboxed)
{
    /// <exception cref="UserException">a file is missing or of another form, or the model cannot be used</exception>
    public async Task RunAsync(Terminal terminal, ParseResult parsed, CompletionOptions options, double temperature, bool json, CancellationToken cancellation)
    {
        if (Data is null) throw new UserException(ExitCode.Usage, $"--suite {Suite.Name} needs --data FILE: its problems are not shipped");
        ModelFolder.RequireFiles(Folder, "MODEL");
        if (Samples > 1 && temperature == 0) throw new UserException(ExitCode.Usage, $"--samples {Samples} at --temperature 0 would be {Samples} times the same completion - write --temperature 0.7, or --samples 1");
        var items = Suite.Read(Data);
        if (Prompts is { } most) items = [.. items.Take(most)];
        await using var judge = await OpenJudgeAsync(terminal, cancellation);
        await using var completer = await options.OpenAsync(parsed, Folder);
        await using var file = To is null ? null : new StreamWriter(File.Create(To));
        var start = Stopwatch.GetTimestamp();
        var (passed, tokens, forwards) = (items.Select(_ => new int[judge is null ? 0 : Suite.Rules.Length]).ToArray(), 0L, 0L);
        for (var sample = 0; sample < Samples; sample++)
        {
            var settings = options.Settings(parsed, temperature);
            settings = settings with { Seed = settings.Seed + (ulong)sample };
            foreach (var rows in Enumerable.Range(0, items.Length).Chunk(Batch))
            {
                var completed = await completer.CompleteAsync([.. rows.Select(row => items[row].Prompt)], settings, cancellation);
                forwards += completed.Max(one => one.Forwards);
                foreach (var (row, one) in rows.Zip(completed))
                {
                    var verdicts = judge is null ? [] : await JudgeAsync(judge, items[row], one.Text, cancellation);
                    for (var rule = 0; rule < verdicts.Length; rule++) passed[row][rule] += verdicts[rule] ? 1 : 0;
                    tokens += one.Tokens;
                    if (file is not null) await file.WriteLineAsync(Line(items[row], sample, one.Text, verdicts));
                }
            }
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var metrics = Metrics(passed).AddRange([new("eval/prompts", items.Length), new("eval/samples", Samples), new("tokens", tokens), new("forwards", forwards), new("eval/seconds", seconds)]);
        if (json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(metrics));
            return;
        }

        foreach (var (name, value) in metrics.Where(metric => metric.Key.Contains("pass", StringComparison.Ordinal))) terminal.Out.WriteLine($"{name["eval/".Length..],-20} {Words.Percent(value)}");
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Suite.Name}, {items.Length} problems x {Samples}: {tokens:N0} tokens in {forwards:N0} forwards, {seconds:0.0} s{(To is null ? "" : $"; completions in {To}")}"));
    }

    /// <summary>Null where programs cannot be run here and their suite's own checker is to judge them.</summary>
    /// <exception cref="UserException">they cannot be run here, and are not written anywhere either</exception>
    private async Task<SuiteJudge?> OpenJudgeAsync(Terminal terminal, CancellationToken cancellation)
    {
        var judge = new SuiteJudge(Suite, kind => Unsandboxed && Suite.RunsPrograms ? new Dictionary<string, string>(KindDefaults.Of(kind)) { ["accept-unsandboxed"] = "on" } : KindDefaults.Of(kind));
        try
        {
            await judge.PrepareAsync(cancellation);
            return judge;
        }
        catch (RewardUnavailableException missing)
        {
            await judge.DisposeAsync();
            if (To is null) throw new UserException(ExitCode.Environment, $"--suite {Suite.Name}: {missing.Message}; or write --to FILE, and let the suite's own checker read it", missing);
            terminal.Error.WriteLine($"nothing is judged: {missing.Message}");
            return null;
        }
    }

    private static async Task<ImmutableArray<bool>> JudgeAsync(SuiteJudge judge, SuiteItem item, string completion, CancellationToken cancellation)
    {
        try
        {
            return await judge.JudgeAsync(item, completion, cancellation);
        }
        catch (SuiteFaultException fault)
        {
            throw new UserException(ExitCode.Environment, fault.Message, fault);
        }
    }

    /// <summary>pass@1 by every rule, and of the first pass@2, 4, ... up to the samples.</summary>
    private ImmutableSortedDictionary<string, double> Metrics(int[][] passed)
    {
        var metrics = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        if (passed[0].Length == 0) return metrics.ToImmutable();
        foreach (var (rule, of) in Suite.Rules.Index()) metrics[$"eval/pass_at_1/{of.Name}"] = passed.Average(row => (double)row[rule] / Samples);
        for (var k = 2; k <= Samples; k *= 2) metrics[$"eval/pass_at_{k}/{Suite.Rules[0].Name}"] = passed.Average(row => PassAtK.Estimate(Samples, row[0], k));
        return metrics.ToImmutable();
    }

    private string Line(SuiteItem item, int sample, string completion, ImmutableArray<bool> verdicts) => JsonSerializer.Serialize(
        Suite.Submission(item, completion) ?? (object)new { item.Id, sample, item.Prompt, completion, item.Reference, verdicts = Suite.Rules.Select(rule => rule.Name).Zip(verdicts).ToDictionary() }, JsonSerializerOptions.Web);
}
