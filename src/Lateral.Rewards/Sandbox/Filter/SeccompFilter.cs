namespace Lateral.Rewards.Sandbox.Filter;

/// <summary>
/// The allow-list of system calls. Whatever is not on it fails with EPERM; a call in another ABI (x32, 32-bit) ends the process, because its numbers mean something else.
/// </summary>
/// <remarks>
/// Nothing inside can end with SIGKILL or with status 137, which stands for it: signal 9 may not be sent (nor be chosen for asynchronous reading, a parent's death or a CPU limit), and leaving with that
/// status ends the process with SIGSYS instead. So a program that SIGKILL ended was killed by its memory limit, by its wall clock, or by somebody outside, and is not to blame for the last.
/// </remarks>
internal static class SeccompFilter
{
    public const uint Allow = 0x7fff0000, Kill = 0x80000000, Refuse = 0x00050000 | 1, NotThere = 0x00050000 | 38;

    /// <summary>AUDIT_ARCH_X86_64: machine 62, 64 bit, little-endian.</summary>
    public const uint X64 = 0xc000003e;

    /// <summary>Numbers from here on are the x32 ABI's.</summary>
    public const uint X32 = 0x40000000;

    /// <summary>CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.</summary>
    private const uint Namespaces = 0x7e020000;

    private const uint SignalKill = 9, StatusOfKill = 128 + SignalKill;

    // F_SETOWN, F_SETSIG, F_SETOWN_EX: they choose a signal and who gets it.
    private static readonly uint[] Owners = [8, 10, 15];

    // TCGETS (is this a terminal?), TIOCGWINSZ, FIONREAD, FIONCLEX, FIOCLEX, FIONBIO.
    private static readonly uint[] Controls = [0x5401, 0x5413, 0x541b, 0x5450, 0x5451, 0x5421];

    // PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ.
    private static readonly uint[] Processes = [15, 16, 23];

    public static byte[] Program { get; } = Assemble();

    private static byte[] Assemble()
    {
        var filter = new BpfAssembler().Load(BpfAssembler.Architecture).ReturnUnlessEqual(X64, Kill).Load(BpfAssembler.Number).ReturnIfAtLeast(X32, Kill);
        foreach (var (_, number) in SystemCalls.Allowed) filter.ReturnIfEqual(number, Allow);

        // glibc asks for clone3 first and falls back to clone where it is not there; its flags lie in memory that a filter cannot read.
        filter.ReturnIfEqual(SystemCalls.Clone3, NotThere)
            .When(SystemCalls.Clone, flags => flags.Load(BpfAssembler.Argument(0)).ReturnIfAnyBit(Namespaces, Refuse).Return(Allow))
            .When(SystemCalls.Kill, call => NotSignalKill(call, 1))
            .When(SystemCalls.Tkill, call => NotSignalKill(call, 1))
            .When(SystemCalls.Tgkill, call => NotSignalKill(call, 2))
            .When(SystemCalls.Exit, Leave)
            .When(SystemCalls.ExitGroup, Leave)
            .When(SystemCalls.Fcntl, call => Unless(call, 1, Owners))
            .When(SystemCalls.Ioctl, call => Only(call, 1, Controls))
            .When(SystemCalls.Prctl, call => Only(call, 0, Processes))
            .When(SystemCalls.Prlimit64, OnlyProcessLimit);
        return filter.Return(Refuse).ToBytes();
    }

    private static void NotSignalKill(BpfAssembler call, int argument) => call.Load(BpfAssembler.Argument(argument)).ReturnIfEqual(SignalKill, Refuse).Return(Allow);

    /// <summary>The kernel takes a status' lowest byte.</summary>
    private static void Leave(BpfAssembler call) => call.Load(BpfAssembler.Argument(0)).And(0xff).ReturnIfEqual(StatusOfKill, Kill).Return(Allow);

    private static void Unless(BpfAssembler call, int argument, uint[] refused)
    {
        call.Load(BpfAssembler.Argument(argument));
        foreach (var value in refused) call.ReturnIfEqual(value, Refuse);
        call.Return(Allow);
    }

    private static void Only(BpfAssembler call, int argument, uint[] allowed)
    {
        call.Load(BpfAssembler.Argument(argument));
        foreach (var value in allowed) call.ReturnIfEqual(value, Allow);
        call.Return(Refuse);
    }

    /// <summary>Limits may be read; RLIMIT_NPROC (6) may be lowered, others would let a program choose a SIGKILL.</summary>
    private static void OnlyProcessLimit(BpfAssembler call) => call
        .Load(BpfAssembler.Argument(1)).ReturnIfEqual(6, Allow)
        .Load(BpfAssembler.Argument(2)).ReturnUnlessEqual(0, Refuse)
        .Load(BpfAssembler.Argument(2) + 4).ReturnUnlessEqual(0, Refuse)
        .Return(Allow);
}
