namespace Lateral.Rewards.Sandbox.Filter;

/// <summary>The system calls of x86-64 that a Python program may make; numbers are those of the kernel's <c>unistd_64.h</c>.</summary>
internal static class SystemCalls
{
    /// <summary>Allowed whatever their arguments are: files, memory, time, signals' handlers, threads and processes. Nothing that opens a socket, makes a namespace, mounts, traces, or keeps keys.</summary>
    public static IReadOnlyList<(string Name, uint Number)> Allowed { get; } =
    [
        ("read", 0), ("write", 1), ("open", 2), ("close", 3), ("stat", 4), ("fstat", 5), ("lstat", 6), ("poll", 7), ("lseek", 8), ("mmap", 9), ("mprotect", 10),
        ("munmap", 11), ("brk", 12), ("rt_sigaction", 13), ("rt_sigprocmask", 14), ("rt_sigreturn", 15), ("pread64", 17), ("pwrite64", 18), ("readv", 19),
        ("writev", 20), ("access", 21), ("pipe", 22), ("select", 23), ("sched_yield", 24), ("mremap", 25), ("msync", 26), ("mincore", 27), ("madvise", 28), ("dup", 32),
        ("dup2", 33), ("pause", 34), ("nanosleep", 35), ("getitimer", 36), ("alarm", 37), ("setitimer", 38), ("getpid", 39), ("fork", 57), ("vfork", 58), ("execve", 59),
        ("wait4", 61), ("uname", 63), ("flock", 73), ("fsync", 74), ("fdatasync", 75), ("truncate", 76), ("ftruncate", 77), ("getdents", 78), ("getcwd", 79),
        ("chdir", 80), ("fchdir", 81), ("rename", 82), ("mkdir", 83), ("rmdir", 84), ("creat", 85), ("link", 86), ("unlink", 87), ("symlink", 88), ("readlink", 89),
        ("chmod", 90), ("fchmod", 91), ("umask", 95), ("gettimeofday", 96), ("getrlimit", 97), ("getrusage", 98), ("sysinfo", 99), ("times", 100), ("getuid", 102),
        ("getgid", 104), ("geteuid", 107), ("getegid", 108), ("setpgid", 109), ("getppid", 110), ("getpgrp", 111), ("setsid", 112), ("getgroups", 115),
        ("getresuid", 118), ("getresgid", 120), ("getpgid", 121), ("getsid", 124), ("rt_sigpending", 127), ("rt_sigtimedwait", 128), ("rt_sigsuspend", 130),
        ("sigaltstack", 131), ("statfs", 137), ("fstatfs", 138), ("sched_getparam", 143), ("sched_getscheduler", 145), ("sched_get_priority_max", 146),
        ("sched_get_priority_min", 147), ("arch_prctl", 158), ("gettid", 186), ("time", 201), ("futex", 202), ("sched_getaffinity", 204), ("epoll_create", 213),
        ("getdents64", 217), ("set_tid_address", 218), ("restart_syscall", 219), ("fadvise64", 221), ("clock_gettime", 228), ("clock_getres", 229),
        ("clock_nanosleep", 230), ("epoll_wait", 232), ("epoll_ctl", 233), ("waitid", 247), ("openat", 257), ("mkdirat", 258), ("newfstatat", 262), ("unlinkat", 263),
        ("renameat", 264), ("linkat", 265), ("symlinkat", 266), ("readlinkat", 267), ("fchmodat", 268), ("faccessat", 269), ("pselect6", 270), ("ppoll", 271),
        ("set_robust_list", 273), ("get_robust_list", 274), ("utimensat", 280), ("epoll_pwait", 281), ("eventfd", 284), ("fallocate", 285), ("eventfd2", 290),
        ("epoll_create1", 291), ("dup3", 292), ("pipe2", 293), ("preadv", 295), ("pwritev", 296), ("getcpu", 309), ("renameat2", 316), ("getrandom", 318),
        ("membarrier", 324), ("copy_file_range", 326), ("statx", 332), ("rseq", 334), ("close_range", 436), ("faccessat2", 439),
    ];

    // Those below are allowed by their arguments, or answered in a way of their own.
    public const uint Exit = 60;
    public const uint Kill = 62;
    public const uint Ioctl = 16;
    public const uint Clone = 56;
    public const uint Fcntl = 72;
    public const uint Prctl = 157;
    public const uint Tkill = 200;
    public const uint ExitGroup = 231;
    public const uint Tgkill = 234;
    public const uint Prlimit64 = 302;
    public const uint Clone3 = 435;
}
