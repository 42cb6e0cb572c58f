using System.Diagnostics;
using System.Globalization;
using System.Text;
using Lateral.Rewards.Sandbox;

namespace Lateral.Rewards.Tests.Sandbox;

/// <summary>Every row of the table of attacks: what a hostile program tries, and that it gets nowhere. Programs tell what they got; nothing here is taken from how long something took.</summary>
public sealed class AttackTests(SandboxFixture fixture) : IClassFixture<SandboxFixture>
{
    /// <summary>Prints OK, or the name of the error that the kernel answers with.</summary>
    private const string Try = """
        import errno
        def attempt(work):
            try:
                work()
                print("OK")
            except OSError as error:
                print(errno.errorcode[error.errno])

        """;

    /// <summary>A system call by its number, since Python has no name for most of them.</summary>
    private const string Call = Try + """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        def call(number, *arguments):
            def work():
                if libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]) == -1:
                    raise OSError(ctypes.get_errno(), "")
            attempt(work)

        """;

    [SandboxTheory]
    [InlineData("inet stream", "AF_INET", "SOCK_STREAM")]
    [InlineData("inet datagram", "AF_INET", "SOCK_DGRAM")]
    [InlineData("inet6", "AF_INET6", "SOCK_STREAM")]
    [InlineData("unix", "AF_UNIX", "SOCK_STREAM")]
    [InlineData("netlink", "AF_NETLINK", "SOCK_RAW")]
    [InlineData("vsock", "AF_VSOCK", "SOCK_STREAM")]
    [InlineData("packet", "AF_PACKET", "SOCK_RAW")]
    public async Task Network_must_be_refused(string what, string family, string kind) => Assert.Equal(("EPERM", what), (await fixture.PrintedAsync($"{Try}import socket\nattempt(lambda: socket.socket(socket.{family}, socket.{kind}))"), what));

    [SandboxTheory]
    [InlineData("/etc/shadow")]
    [InlineData("/etc/passwd")]
    [InlineData("/root")]
    [InlineData("/home")]
    [InlineData("/sys")]
    [InlineData("/proc")]
    [InlineData("/proc/1/environ")]
    [InlineData("/proc/self/mem")]
    [InlineData("/dev/vda")]
    [InlineData("/dev/kvm")]
    [InlineData("/dev/mem")]
    [InlineData("/run")]
    [InlineData("/var")]
    [InlineData("/opt")]
    public async Task Files_of_the_machine_must_not_be_there(string path) => Assert.Equal("ENOENT", await fixture.PrintedAsync($"{Try}import os\nattempt(lambda: os.stat('{path}'))"));

    [SandboxTheory]
    [InlineData("/x")]
    [InlineData("/dev/x")]
    [InlineData("/usr/x")]
    [InlineData("/usr/lib/x86_64-linux-gnu/x")]
    public async Task Everything_but_the_temporary_folder_must_be_read_only(string path) => Assert.Contains(await fixture.PrintedAsync($"{Try}attempt(lambda: open('{path}', 'w'))"), new[] { "EROFS", "EACCES" });

    [SandboxFact]
    public async Task Folder_of_the_slot_must_not_be_there() => Assert.Equal("dev lib lib64 tmp usr |", await fixture.PrintedAsync("import os; print(*sorted(os.listdir('/')), '|', *os.listdir('/tmp'))"));

    [SandboxFact]
    public async Task Program_must_hold_no_descriptors_but_its_own_three() =>
        Assert.Equal("0 1 2", await fixture.PrintedAsync("import os\nfor fd in range(1024):\n  try:\n    os.fstat(fd); print(fd, end=' ')\n  except OSError: pass"));

    [SandboxFact]
    public async Task Secrets_of_the_environment_must_not_leak()
    {
        Environment.SetEnvironmentVariable("LATERAL_PLANTED_SECRET", "do-not-tell");
        try
        {
            await using var sandbox = await PythonSandbox.OpenAsync(SandboxFixture.Settings with { Slots = 1 }, default);
            var result = Assert.IsType<SandboxResult.Exited>(await sandbox.RunAsync(new SandboxJob("import os; print(sorted(os.environ)); print(os.environ)"), default));
            var printed = Encoding.UTF8.GetString(result.Output);
            Assert.StartsWith("['HOME', 'LANG', 'PATH', 'PWD', 'PYTHONHASHSEED']", printed, StringComparison.Ordinal);
            Assert.DoesNotContain("do-not-tell", printed, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("LATERAL_PLANTED_SECRET", null);
        }
    }

    [SandboxFact]
    public async Task Fork_bomb_must_be_stopped()
    {
        var children = await fixture.PrintedAsync("""
            import os, time
            made = 0
            try:
                while True:
                    if os.fork() == 0:
                        time.sleep(60)
                    made += 1
            except OSError:
                print(made)
            """);
        Assert.InRange(int.Parse(children, CultureInfo.InvariantCulture), 1, 40);
    }

    [SandboxFact]
    public async Task Bomb_that_never_gives_up_must_end_with_its_clock_and_leave_a_working_slot()
    {
        Assert.IsType<SandboxResult.Timeout>(await fixture.RunAsync("import os\nwhile True:\n  try:\n    os.fork()\n  except OSError: pass"));
        for (var i = 0; i < 4; i++) Assert.Equal("1", await fixture.PrintedAsync("print(1)"));
    }

    [SandboxFact]
    public async Task Threads_must_be_limited()
    {
        var threads = await fixture.PrintedAsync("""
            import os, threading, time
            made = 0
            try:
                while True:
                    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
                    made += 1
            except RuntimeError:
                print(made, flush=True)
                os._exit(0)
            """);
        Assert.InRange(int.Parse(threads, CultureInfo.InvariantCulture), 1, 40);
    }

    [SandboxTheory]
    [InlineData("x = bytearray(4 << 30)")]
    [InlineData("x = []\nwhile True: x.append(bytes(1 << 20) + b'x')")]
    public async Task Memory_must_be_limited(string program) => await MustBeOutOfMemoryAsync(program);

    [GroupTheory]
    [InlineData("import os, time\nfor i in range(8):\n  if os.fork() == 0:\n    x = b'x' * (700 << 20)\n    time.sleep(60)\ntime.sleep(60)")]
    [InlineData("import os, time\nfor i in range(8):\n  if os.fork() == 0:\n    x = b'x' * (50 << 20)\n    time.sleep(60)\ntime.sleep(60)")]
    [InlineData("for i in range(28): open(f'/tmp/{i}', 'wb').write(b'x' * (1 << 20))\nx = b'x' * (232 << 20)")]
    public async Task Memory_must_be_limited_for_all_processes_and_files_together(string program) => await MustBeOutOfMemoryAsync(program);

    [SandboxTheory]
    [InlineData("while True: pass")]
    [InlineData("import signal, time\nfor s in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:\n  signal.signal(s, signal.SIG_IGN)\nwhile True: time.sleep(60)")]
    [InlineData("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)")]
    [InlineData("import os\nos.close(0); os.close(1); os.close(2)\nwhile True: pass")]
    [InlineData("import threading\nfor i in range(8): threading.Thread(target=lambda: sum(0 for _ in iter(int, 1))).start()")]
    public async Task Program_that_does_not_end_must_be_ended(string program) => Assert.IsType<SandboxResult.Timeout>(await fixture.RunAsync(program));

    [SandboxFact]
    public async Task Memory_below_the_limit_must_be_had() => Assert.Equal("1", await fixture.PrintedAsync("x = b'x' * (232 << 20)\nprint(1)"));

    [SandboxFact]
    public async Task Flood_of_descriptors_must_be_stopped() =>
        Assert.InRange(int.Parse(await fixture.PrintedAsync("x = []\ntry:\n  while True: x.append(open('/dev/null'))\nexcept OSError: print(len(x))"), CultureInfo.InvariantCulture), 1, 64);

    [SandboxFact]
    public async Task Disk_must_be_limited()
    {
        var written = await fixture.PrintedAsync("""
            written = 0
            try:
                for i in range(1000):
                    with open(f"/tmp/{i}", "wb", buffering=0) as f:
                        for _ in range(8):
                            written += f.write(bytes(1 << 20))
            except OSError:
                print(written >> 20)
            """);
        Assert.InRange(int.Parse(written, CultureInfo.InvariantCulture), 1, 32);
    }

    [SandboxFact]
    public async Task Flood_of_inodes_must_end_and_leave_a_working_slot()
    {
        var result = await fixture.RunAsync("i = 0\nwhile True:\n  open(f'/tmp/{i}', 'w').close()\n  i += 1");
        Assert.True(result is SandboxResult.OutOfMemory or SandboxResult.Timeout or SandboxResult.Exited { Code: 1 }, result.ToString());
        Assert.Equal("[]", await fixture.PrintedAsync("import os; print(os.listdir('/tmp'))"));
    }

    [SandboxFact]
    public async Task Daemon_must_be_gone_after_its_program()
    {
        var name = $"canary{Guid.NewGuid():N}";
        var printed = await fixture.PrintedAsync($"""
            import os, time, ctypes
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    for fd in range(3): os.close(fd)
                    ctypes.CDLL(None).prctl(15, b"{name[..15]}", 0, 0, 0)
                    while True: time.sleep(1)
                os._exit(0)
            os.wait()
            time.sleep(0.2)
            print("left")
            """);
        Assert.Equal("left", printed);
        Assert.DoesNotContain(Names(), found => found == name[..15]);
    }

    [SandboxFact]
    public async Task Killing_parent_and_everything_else_must_not_reach_outside()
    {
        using var canary = Process.Start(new ProcessStartInfo("/bin/sleep", ["60"]))!;
        try
        {
            await fixture.RunAsync("import os, signal\nfor pid in [os.getppid(), 1, -1, *range(2, 40000)]:\n  for s in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):\n    try:\n      if pid != os.getpid(): os.kill(pid, s)\n    except OSError: pass");
            Assert.False(canary.HasExited);
            Assert.Equal("1", await fixture.PrintedAsync("print(1)"));
        }
        finally
        {
            canary.Kill();
        }
    }

    [SandboxTheory]
    [InlineData("import sys\nwhile True: sys.stdout.write('x' * 100000)")]
    [InlineData("import sys\nwhile True: sys.stderr.write('x' * 100000)")]
    [InlineData("import os\nfor i in range(300): os.write(1, bytes(1 << 20))")]
    public async Task Output_must_be_limited(string program) => Assert.IsType<SandboxResult.OutputLimit>(await fixture.RunAsync(program));

    [SandboxFact]
    public async Task Output_up_to_its_limit_must_come_whole() => Assert.Equal(65536, (await fixture.PrintedAsync("print('x' * 65536, end='')")).Length);

    [SandboxTheory]
    [InlineData("unshare", "call(272, 0x10000000)")]
    [InlineData("clone into a user namespace", "call(56, 0x10000000 | 17, 0, 0, 0, 0)")]
    [InlineData("setns", "call(308, 0, 0)")]
    [InlineData("mount", "call(165, ctypes.c_char_p(b'none'), ctypes.c_char_p(b'/tmp'), ctypes.c_char_p(b'tmpfs'), 0, 0)")]
    [InlineData("umount", "call(166, ctypes.c_char_p(b'/tmp'), 0)")]
    [InlineData("fsopen", "call(430, ctypes.c_char_p(b'tmpfs'), 0)")]
    [InlineData("open_tree", "call(428, -100, ctypes.c_char_p(b'/'), 1)")]
    [InlineData("pivot_root", "call(155, ctypes.c_char_p(b'/tmp'), ctypes.c_char_p(b'/tmp'))")]
    [InlineData("chroot", "call(161, ctypes.c_char_p(b'/tmp'))")]
    [InlineData("bpf", "call(321, 0, 0, 0)")]
    [InlineData("io_uring", "call(425, 8, 0)")]
    [InlineData("perf_event_open", "call(298, 0, 0, -1, -1, 0)")]
    [InlineData("userfaultfd", "call(323, 0)")]
    [InlineData("TIOCSTI", "call(16, 0, 0x5412, ctypes.c_char_p(b'x'))")]
    [InlineData("add_key", "call(248, ctypes.c_char_p(b'user'), ctypes.c_char_p(b'x'), ctypes.c_char_p(b'y'), 1, -3)")]
    [InlineData("keyctl", "call(250, 0, -3, 0)")]
    [InlineData("ptrace", "call(101, 0, 0, 0, 0)")]
    [InlineData("process_vm_readv", "call(310, 1, 0, 0, 0, 0, 0)")]
    [InlineData("memfd_create", "call(319, ctypes.c_char_p(b'x'), 0)")]
    [InlineData("execveat", "call(322, -1, ctypes.c_char_p(b''), 0, 0, 0)")]
    [InlineData("socketpair", "call(53, 1, 1, 0, 0)")]
    [InlineData("seccomp", "call(317, 0, 0, 0)")]
    [InlineData("prctl(PR_SET_SECCOMP)", "call(157, 22, 1, 0, 0, 0)")]
    [InlineData("prctl(PR_SET_PDEATHSIG)", "call(157, 1, 9, 0, 0, 0)")]
    [InlineData("setrlimit", "call(160, 0, 0)")]
    [InlineData("prlimit64(RLIMIT_CPU)", "call(302, 0, 0, ctypes.c_char_p(bytes(16)), 0)")]
    [InlineData("timer_create", "call(222, 0, 0, 0)")]
    [InlineData("fcntl(F_SETSIG)", "call(72, 0, 10, 9)")]
    [InlineData("rt_sigqueueinfo", "call(129, 1, 9, 0)")]
    [InlineData("pidfd_open", "call(434, 1, 0)")]
    [InlineData("personality", "call(135, 0)")]
    [InlineData("setuid", "call(105, 0)")]
    [InlineData("kexec_load", "call(246, 0, 0, 0, 0)")]
    [InlineData("swapon", "call(167, ctypes.c_char_p(b'/tmp'), 0)")]
    [InlineData("mknod", "call(133, ctypes.c_char_p(b'/tmp/x'), 0o60600, 0)")]
    public async Task System_call_must_be_refused(string name, string attempt) => Assert.Equal((name, "EPERM"), (name, await fixture.PrintedAsync(Call + attempt)));

    [SandboxTheory]
    [InlineData("call(435, 0, 0)", "ENOSYS")]
    [InlineData("os.getpid(); call(39)", "OK")]
    public async Task Clone3_must_not_be_there_and_a_harmless_call_must_work(string attempt, string answer) => Assert.Equal(answer, await fixture.PrintedAsync(Call + attempt));

    [SandboxTheory]
    [InlineData("call(0x40000000 + 39)")]
    [InlineData("os._exit(137)")]
    [InlineData("call(231, 137 + 256)")]
    public async Task Other_abi_and_the_status_of_a_kill_must_end_the_program(string attempt) => Assert.Equal(128 + 31, Assert.IsType<SandboxResult.Exited>(await fixture.RunAsync(Call + attempt)).Code);

    [SandboxTheory]
    [InlineData("os.kill(os.getpid(), 9)")]
    [InlineData("os.kill(0, 9)")]
    [InlineData("os.kill(-1, 9)")]
    [InlineData("os.killpg(os.getpgrp(), 9)")]
    public async Task Program_must_not_be_able_to_look_as_if_it_had_been_killed(string attempt) => Assert.Equal("EPERM", await fixture.PrintedAsync($"{Try}import os\nattempt(lambda: {attempt})"));

    private async Task MustBeOutOfMemoryAsync(string program)
    {
        Assert.IsType<SandboxResult.OutOfMemory>(await fixture.RunAsync(program));
        Assert.Equal("1", await fixture.PrintedAsync("print(1)"));
    }

    /// <summary>What processes of the machine call themselves.</summary>
    private static IEnumerable<string> Names() => Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])).Select(folder =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "comm")).Trim();
        }
        catch (IOException)
        {
            // It ended between the two.
            return "";
        }
    });
}
