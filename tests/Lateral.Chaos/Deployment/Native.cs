using System.Runtime.InteropServices;

namespace Lateral.Chaos.Deployment;

/// <summary>Signals.</summary>
internal static class Native
{
    public const int SigKill = 9, SigCont = 18, SigStop = 19;

    [DllImport("libc", EntryPoint = "kill")]
    public static extern int Kill(int process, int signal);
}
