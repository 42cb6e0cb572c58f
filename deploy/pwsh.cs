#:package System.Management.Automation
#:property PublishAot=false

// Runs a PowerShell script where PowerShell is not installed: dotnet run deploy/pwsh.cs SCRIPT [ARGUMENT...]
// The library holds the language and native commands, and no cmdlets: scripts for it use the core language only.
using System.Management.Automation;
using System.Management.Automation.Runspaces;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: dotnet run deploy/pwsh.cs SCRIPT [ARGUMENT...]");
    return 2;
}

var script = Path.GetFullPath(args[0]);
if (!File.Exists(script))
{
    Console.Error.WriteLine($"{script} does not exist");
    return 2;
}

// CreateDefault2 has the engine's own commands and providers; CreateDefault would ask for modules that the package lacks.
using var runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
runspace.Open();
using var shell = PowerShell.Create(runspace);
shell.AddCommand(script);
foreach (var argument in args.AsSpan(1)) shell.AddArgument(argument);

var output = new PSDataCollection<PSObject>();
output.DataAdded += (_, added) => Console.WriteLine(output[added.Index]);
shell.Streams.Error.DataAdded += (_, added) => Console.Error.WriteLine(shell.Streams.Error[added.Index]);
try
{
    shell.Invoke(null, output);
}
catch (RuntimeException error)
{
    Console.Error.WriteLine(error.ErrorRecord.Exception.Message);
    return 1;
}

return runspace.SessionStateProxy.GetVariable("LASTEXITCODE") is int code ? code : shell.HadErrors ? 1 : 0;
