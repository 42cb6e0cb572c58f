using System.Diagnostics;

namespace Lateral.Node.Sessions;

/// <summary>This program as a process of its own, told to stop by the end of its input.</summary>
internal static class ChildProcess
{
    /// <summary>However the parent was started, and whether or not it is this program, too: tests and benchmarks are not.</summary>
    public static ProcessStartInfo Start(IEnumerable<string> arguments)
    {
        var self = Environment.ProcessPath!;
        var program = Path.GetFileNameWithoutExtension(self);
        var host = program != "lateral";
        var start = new ProcessStartInfo(host && program != "dotnet" ? "dotnet" : self, host ? [Path.Combine(AppContext.BaseDirectory, "lateral.dll"), .. arguments] : arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Interruption.Supervised] = "1";
        return start;
    }

    /// <summary>The message to stop.</summary>
    public static void CloseInput(Process process)
    {
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has just ended by itself.
        }
    }
}
