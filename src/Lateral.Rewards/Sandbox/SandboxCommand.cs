using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Lateral.Rewards.Sandbox;

/// <summary>The command line around a program.</summary>
/// <param name="Walls">whether it runs in bubblewrap</param>
/// <param name="Words">what the launching shell runs for each program; descriptor 6 takes bubblewrap's own report, 9 holds the filter</param>
internal sealed record SandboxCommand(bool Walls, IReadOnlyList<string> Words)
{
    public const string Install = "apt-get install bubblewrap; then `bwrap --unshare-all --ro-bind / / true` has to end with status 0";

    private static readonly string[] Folders = ["/usr/bin", "/bin", "/usr/local/bin"];

    /// <summary>Where a program of the system stands; null where it does not.</summary>
    public static string? Find(string program) => Folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    /// <exception cref="SandboxUnavailableException">this machine cannot have a sandbox, and none is insisted on</exception>
    public static async Task<SandboxCommand> OfAsync(SandboxSettings settings, PythonInstallation python, bool groups, CancellationToken cancellation)
    {
        var why = await WhyNotAsync(settings.Bubblewrap, cancellation);
        // The kernel counts a user's processes; only inside a user namespace are those the program's own.
        var processes = groups || why is not null ? "0" : Math.Min(settings.Processes, Protection.ProcessesWithoutGroup).ToString(CultureInfo.InvariantCulture);
        string[] program = ["-I", "-S", "-B", "-c", EmbeddedPython.Text("boot.py"), processes];
        if (why is null) return new(true, [.. Bubble(settings, python, await NewAsync(settings.Bubblewrap!, cancellation)), "--", python.Executable, .. program]);
        if (!settings.AcceptUnsandboxed) throw new SandboxUnavailableException($"programs that a model writes are only run in a sandbox, and there is none: {why}");
        return new(false, [Find("setsid") ?? throw new SandboxUnavailableException("setsid is missing: apt-get install util-linux"), python.Executable, .. program]);
    }

    /// <summary>
    /// No /proc at all: its first process is the launcher, whose environment could be read there. /dev is made read-only after it is filled, because it would be an unlimited disk in memory; the same goes
    /// for the root. The first process inside is ours (boot.py) and not bubblewrap's, which would tell of a program's end before all of its processes had ended.
    /// </summary>
    private static IEnumerable<string> Bubble(SandboxSettings settings, PythonInstallation python, bool disable) =>
    [
        settings.Bubblewrap!, "--unshare-all", "--unshare-user", .. disable ? ["--disable-userns"] : Array.Empty<string>(), "--as-pid-1", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        "--clearenv", "--setenv", "PATH", "/usr/bin", "--setenv", "HOME", "/tmp", "--setenv", "PYTHONHASHSEED", "0", "--setenv", "LANG", "C.UTF-8", "--hostname", "sandbox",
        "--ro-bind", python.Executable, python.Executable,
        .. python.Folders.Where(folder => !IsLink(folder)).SelectMany(folder => new[] { "--ro-bind", folder, folder }),
        .. new[] { "/lib", "/lib64" }.Where(IsLink).SelectMany(link => new[] { "--symlink", $"usr{link}", link }),
        "--dev", "/dev", "--remount-ro", "/dev", "--size", settings.FileLimit.ToString(CultureInfo.InvariantCulture), "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/tmp",
        "--json-status-fd", "6", "--seccomp", "9",
    ];

    /// <summary>A folder below a link is reached through it.</summary>
    private static bool IsLink(string folder) => new DirectoryInfo(folder).LinkTarget is not null || (Path.GetDirectoryName(folder) is "/lib" && new DirectoryInfo("/lib").LinkTarget is not null);

    private static async Task<string?> WhyNotAsync(string? bubblewrap, CancellationToken cancellation)
    {
        if (RuntimeInformation.OSArchitecture != Architecture.X64) return $"its filter knows the system calls of x86-64, and this is {RuntimeInformation.OSArchitecture}";
        if (bubblewrap is null) return $"bubblewrap is not installed - {Install}";
        var (code, _, errors) = await RunAsync(bubblewrap, ["--unshare-all", "--ro-bind", "/", "/", "true"], cancellation);
        return code == 0 ? null : $"bubblewrap cannot make namespaces here ({errors.Trim()}) - a container has to allow user namespaces, and sysctl user.max_user_namespaces must not be 0; then `bwrap --unshare-all --ro-bind / / true` has to end with status 0";
    }

    /// <summary>The option came with 0.8; without it the filter alone keeps programs from making namespaces.</summary>
    private static async Task<bool> NewAsync(string bubblewrap, CancellationToken cancellation) => (await RunAsync(bubblewrap, ["--help"], cancellation)).Output.Contains("--disable-userns", StringComparison.Ordinal);

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string program, string[] arguments, CancellationToken cancellation)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false })!;
        process.StandardInput.Close();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancellation), process.StandardError.ReadToEndAsync(cancellation));
        await process.WaitForExitAsync(cancellation);
        return (process.ExitCode, await output, await errors);
    }
}
