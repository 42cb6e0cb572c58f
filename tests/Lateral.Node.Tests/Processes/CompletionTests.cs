using System.Diagnostics;
using Lateral.Node.Cli;

namespace Lateral.Node.Tests.Processes;

/// <summary>A real bash asks the real program.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [LinuxTheory]
    [InlineData("lateral tra", "train")]
    [InlineData("lateral runs ver", "verify")]
    [InlineData("lateral train --dry", "--dry-run")]
    [InlineData("lateral train x.conf --set staleness.", "staleness.max-versions=")]
    [InlineData("lateral completion ba", "bash")]
    public async Task Bash_must_complete(string line, string expected) => Assert.Equal([expected], await CompleteAsync(line));

    [LinuxFact]
    public async Task Bash_must_complete_run_names()
    {
        var run = Directory.CreateDirectory(Path.Combine(_folder.Path, "runs", "sorting")).FullName;
        File.WriteAllText(Path.Combine(run, "config.resolved.json"), "{}");
        Assert.Contains("sorting", await CompleteAsync("lateral resume so"));
    }

    private async Task<string[]> CompleteAsync(string line)
    {
        var words = line.Split(' ');
        var script = $"""
            eval "$(lateral completion bash)"
            COMP_WORDS=({string.Join(' ', words)}); COMP_CWORD={words.Length - 1}; COMP_LINE="{line}"; COMP_POINT={line.Length}
            _lateral; printf '%s\n' "$[COMPREPLY[@]]"
            """.Replace("$[", "${", StringComparison.Ordinal).Replace("@]]", "@]}", StringComparison.Ordinal);
        var program = Path.GetDirectoryName(typeof(CommandLine).Assembly.Location)!;
        using var bash = Process.Start(new ProcessStartInfo("bash", ["--norc", "-c", script])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            WorkingDirectory = _folder.Path,
            Environment = { ["PATH"] = $"{program}:{Environment.GetEnvironmentVariable("PATH")}" },
        })!;
        var output = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync();
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
