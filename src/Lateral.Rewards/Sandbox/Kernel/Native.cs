using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Lateral.Rewards.Sandbox.Kernel;

/// <summary>Calls of the system that .NET has no name for.</summary>
internal static class Native
{
    // O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK, O_CLOEXEC of Linux on x86-64.
    private const int ReadOnly = 0, WriteOnly = 1, ReadWrite = 2, NonBlocking = 0x800, CloseOnExec = 0x80000;

    public static bool IsRoot => OperatingSystem.IsLinux() && EffectiveUser() == 0;

    /// <summary>A named pipe that one user may open.</summary>
    /// <param name="user">null = this one</param>
    public static void MakePipe(string path, int? user)
    {
        if (MakeFifo(path, 0x180) != 0) throw Failed("make", path);
        Give(path, user);
    }

    public static void Give(string path, int? user)
    {
        if (user is { } id && ChangeOwner(path, id, id) != 0) throw Failed("give away", path);
    }

    public static PipeStream OpenReader(string path) => new AnonymousPipeClientStream(PipeDirection.In, Open(path, ReadOnly | NonBlocking));

    /// <summary>Needs no reader yet; it counts as one itself until it is closed.</summary>
    public static PipeStream OpenWriter(string path) => new AnonymousPipeClientStream(PipeDirection.Out, Open(path, ReadWrite | NonBlocking));

    /// <summary>Keeps a pipe from ending before its real writer is there.</summary>
    public static SafePipeHandle OpenHolder(string path) => Open(path, WriteOnly | NonBlocking);

    public static void SendKill(int process) => _ = Kill(process, 9);

    public static bool Exists(int process) => Kill(process, 0) == 0 || Marshal.GetLastPInvokeError() == 1;

    /// <summary>The process that started this one; 0 where it is gone.</summary>
    public static int Parent(int process)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process}/stat");
            // The name in parentheses may hold anything; behind it come the state and the parent.
            return int.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static SafePipeHandle Open(string path, int flags)
    {
        var descriptor = OpenFile(path, flags | CloseOnExec);
        return descriptor >= 0 ? new SafePipeHandle(descriptor, ownsHandle: true) : throw Failed("open", path);
    }

    private static SandboxFaultException Failed(string what, string path) => new($"cannot {what} '{path}': {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern uint EffectiveUser();

    [DllImport("libc", EntryPoint = "mkfifo", SetLastError = true)]
    private static extern int MakeFifo([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint mode);

    [DllImport("libc", EntryPoint = "chown", SetLastError = true)]
    private static extern int ChangeOwner([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int user, int group);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int OpenFile([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int process, int signal);
}
