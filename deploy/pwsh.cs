#!/usr/bin/env -S dotnet run
#:package System.Management.Automation
#:property PublishAot=false

// Runs a PowerShell script where no pwsh is installed: dotnet run deploy/pwsh.cs build.ps1 test
using System.Management.Automation;
using System.Management.Automation.Runspaces;

if (args.Length == 0 || !File.Exists(args[0]))
{
    Console.Error.WriteLine(args.Length == 0 ? "usage: dotnet run deploy/pwsh.cs SCRIPT [ARGUMENT...]" : $"no script at {args[0]}");
    return 2;
}

// The core language without the module of cmdlets that a full installation brings.
using var runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
runspace.Open();
using var shell = PowerShell.Create(runspace);
// As text: running the file itself asks for execution policies, which only a full installation has.
shell.AddScript(File.ReadAllText(args[0]));
foreach (var argument in args[1..]) shell.AddArgument(argument);

var output = new PSDataCollection<PSObject>();
output.DataAdded += (_, added) => Console.WriteLine(output[added.Index]);
shell.Streams.Error.DataAdded += (_, added) => Console.Error.WriteLine(shell.Streams.Error[added.Index]);
shell.Invoke(null, output);
return runspace.SessionStateProxy.GetVariable("LASTEXITCODE") is int code ? code : shell.HadErrors ? 1 : 0;
