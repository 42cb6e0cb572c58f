using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Lateral.Node.Cli;

/// <summary><c>sample DIR --prompt TEXT</c> of a published model: what it answers.</summary>
internal static class PublishedSampling
{
    public static async Task RunAsync(Terminal terminal, ParseResult parsed, CompletionOptions options, string folder, string[] prompts, double temperature, bool json, CancellationToken cancellation)
    {
        if (prompts.Length == 0) throw new UserException(ExitCode.Usage, $"{folder} is a published model, which has no task and so no prompts of its own - write --prompt \"...\"");
        await using var completer = await options.OpenAsync(parsed, folder);
        var settings = options.Settings(parsed, temperature);
        foreach (var prompt in prompts)
        {
            var start = Stopwatch.GetTimestamp();
            var completed = (await completer.CompleteAsync([prompt], settings, cancellation))[0];
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (json)
            {
                terminal.Out.WriteLine(JsonSerializer.Serialize(new { prompt, completion = completed.Text, completed.Tokens, completed.Forwards, seconds }, JsonSerializerOptions.Web));
                continue;
            }

            terminal.Out.WriteLine(completed.Text);
            terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{completed.Tokens} tokens in {completed.Forwards} forwards, {seconds:0.0} s"));
        }
    }
}
