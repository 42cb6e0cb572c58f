using Lateral.Node.Display;
using Spectre.Console;

namespace Lateral.Node.Cli;

/// <summary>What commands print to. Results go to <paramref name="Out"/>, everything else to <paramref name="Error"/>.</summary>
/// <param name="Live">a terminal that can show a live panel; null where output is redirected</param>
public sealed record Terminal(TextWriter Out, TextWriter Error, IAnsiConsole? Live)
{
    public static Terminal System() => new(Console.Out, Console.Error, Console.IsOutputRedirected ? null : AnsiConsole.Console);

    public IRunOutput Output(bool json) => json ? new JsonOutput(Out) : Live is { } console ? new PanelOutput(console) : new LineOutput(Out);
}
