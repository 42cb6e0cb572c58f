using Lateral.Node.Cli;

return await CommandLine.RunAsync(args, Terminal.System());
