using System.Text.Json;

namespace Lateral.Node.Tests.Processes;

/// <summary>What a real <c>lateral why NAME --json</c> answers.</summary>
/// <param name="Culprit">the last link's part, <paramref name="Text"/> what it does</param>
/// <param name="Settings">the keys advised</param>
internal sealed record Why(string Verdict, string Culprit, string Text, IReadOnlyList<string> Advice, IReadOnlyList<string> Settings)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    public static async Task<Why> AskAsync(string name, string runs)
    {
        var (code, output) = await LateralProcess.RunAsync("why", name, "--json", "--runs-dir", runs);
        Assert.True(code == 0, output);
        var diagnosis = JsonElement.Parse(output).GetProperty("diagnosis");
        var (culprit, advice) = (diagnosis.GetProperty("culprit"), diagnosis.GetProperty("advice").EnumerateArray().ToList());
        return new Why(
            diagnosis.GetProperty("verdict").GetString()!, culprit.GetProperty("part").GetString()!, culprit.GetProperty("text").GetString()!,
            [.. advice.Select(one => one.GetProperty("text").GetString()!)],
            [.. advice.Select(one => one.GetProperty("setting").GetString()).OfType<string>()]);
    }

    /// <summary>Asks again until the answer is the one that is waited for.</summary>
    public static async Task<Why> UntilAsync(string name, string runs, Func<Why, bool> condition)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            var answer = await AskAsync(name, runs);
            if (condition(answer)) return answer;
            if (clock.Elapsed > Deadline) throw new TimeoutException($"why still says {answer}: {string.Join(", ", answer.Advice)}");
            await Task.Delay(200);
        }
    }
}
