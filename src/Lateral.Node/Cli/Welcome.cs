namespace Lateral.Node.Cli;

/// <summary>What <c>lateral</c> says without an argument: what to do first.</summary>
internal static class Welcome
{
    public static int Show(Terminal terminal)
    {
        terminal.Out.WriteLine($"""
            Lateral: asynchronous reinforcement learning of masked diffusion language models

            first    {Commands.Program} init                     write a commented starter configuration
                     {Commands.Program} train quickstart.conf    a live run: about a minute on two cores, no GPU
            then     {Commands.Program} runs                     what there is
                     {Commands.Program} why NAME                 why is nothing happening?
            trouble  {Commands.Program} doctor                   what this machine lacks, and how to get it

            every command, with an example: {Commands.Program} --help
            """);
        return (int)ExitCode.Done;
    }
}
