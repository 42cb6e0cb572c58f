using System.CommandLine;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary>Words that a shell may complete, beside commands and options.</summary>
internal static class Completions
{
    /// <summary>Every key of reference.conf, in its order.</summary>
    public static IEnumerable<string> Settings =>
        ConfigLeaves.Flatten(Hocon.ParseText(RunSettingsLoader.Reference.Text, RunSettingsLoader.Reference.Source)).Select(leaf => leaf.Path);

    public static IEnumerable<string> Runs => new RunCatalog(RunCatalog.DefaultFolder).All().Select(run => run.Name);
}

/// <summary><c>completion</c>: a script that makes a shell ask this program, so that completions are never out of date.</summary>
internal static class CompletionCommand
{
    // Bash completes file names where the program has nothing to say: configuration files.
    private static readonly (string Shell, string Where, string Script)[] Shells =
    [
        ("bash", "~/.bashrc", """
            _lateral() { local IFS=$'\n'; COMPREPLY=($(lateral "[suggest:$((COMP_POINT - ${#COMP_WORDS[0]} - 1))]" "${COMP_LINE#* }" 2>/dev/null | grep -F -- "${COMP_WORDS[COMP_CWORD]}")); }
            complete -o default -F _lateral lateral
            """),
        ("zsh", "~/.zshrc", """
            _lateral() { local line="${BUFFER#* }"; compadd -- ${(f)"$(lateral "[suggest:$((CURSOR - ${#words[1]} - 1))]" "$line" 2>/dev/null)}; [[ $compstate[nmatches] -gt 0 ]] || _files; }
            compdef _lateral lateral
            """),
        ("fish", "~/.config/fish/config.fish", """
            complete -c lateral -a '(set -l line (commandline -cp); set -l rest (string replace -r "^\S+\s" "" -- $line); lateral "[suggest:"(string length -- "$rest")"]" "$rest" 2>/dev/null)'
            """),
        ("pwsh", "$PROFILE", """
            Register-ArgumentCompleter -Native -CommandName lateral -ScriptBlock {
                param($word, $ast, $cursor)
                $rest = "$ast" -replace '^\S+\s', ''
                lateral "[suggest:$($cursor - "$ast".IndexOf(' ') - 1)]" "$rest" 2>$null | Where-Object { $_ -like "*$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
            }
            """),
    ];

    public static Command Create(Terminal terminal)
    {
        var json = Options.Json();
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh, fish or pwsh" };
        shell.AcceptOnlyFromAmong([.. Shells.Select(known => known.Shell)]);
        var completion = new Command("completion", Help.Line("print a script that completes commands, settings and run names", "completion bash >> ~/.bashrc")) { shell, json };
        completion.SetAction(parsed =>
        {
            var (name, where, script) = Shells.Single(known => known.Shell == parsed.GetValue(shell));
            terminal.Out.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(new { shell = name, where, script }) : $"# add to {where}\n{script}");
            return (int)ExitCode.Done;
        });
        return completion;
    }
}
