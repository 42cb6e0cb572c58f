using System.Diagnostics;
using System.Globalization;
using Lateral.Rewards.Sandbox.Kernel;

namespace Lateral.Rewards.Sandbox;

/// <summary>
/// A shell that starts one program after the other when told to, and is itself in the slot's control group, of the slot's user and under the slot's limits: so none of that costs a program anything, and no program is
/// ever forked from this large process. It ends when its standard input does, and every program ends with it (<c>--die-with-parent</c>).
/// </summary>
internal sealed class Launcher : IAsyncDisposable
{
    /// <summary>How long the shell, or bubblewrap, may take for what is done at once.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // Joins the groups that come before --, then becomes what comes behind it.
    private const string Join = """while [ "$1" != -- ]; do echo $$ > "$1" || exit 81; shift; done; shift; exec "$@" """;

    // Descriptors are opened here and not behind &, where the program would open them at some later time.
    private const string Loop = """
        cd "$1" || exit 82
        group=$2
        shift 2
        echo up
        while read -r verb; do
          case $verb in
            start) exec 3<in 4>out 5>err 6>status 9<filter || exit 83
                   "$@" <&3 >&4 2>&5 3<&- 4>&- 5>&- &
                   job=$!
                   exec 3<&- 4>&- 5>&- 6>&- 9<&-
                   echo "started $job" ;;
            kill) kill -s KILL -- "$group$job" 2>/dev/null ;;
            wait) wait "$job" 2>/dev/null; echo "ended $?"; job= ;;
          esac
        done
        kill -s KILL -- "$group$job" 2>/dev/null
        """;

    private readonly Process _shell;
    private readonly Task<string> _errors;

    private Launcher(Process shell) => (_shell, _errors) = (shell, shell.StandardError.ReadToEndAsync());

    public int Id => _shell.Id;

    public bool IsLost => _shell.HasExited;

    /// <param name="folder">holds the pipes in, out, err, status and the file filter</param>
    /// <param name="entrances">files of control groups to join</param>
    /// <param name="user">what to run as; null = this process' user</param>
    /// <exception cref="SandboxFaultException">the shell does not come up</exception>
    public static async Task<Launcher> StartAsync(string folder, IReadOnlyList<string> entrances, int? user, SandboxSettings settings, SandboxCommand command, CancellationToken cancellation)
    {
        string[] words =
        [
            "-c", Join, "sh", .. entrances, "--", .. Limits(settings, entrances.Count > 0), .. user is { } id ? AsUser(id) : [],
            "/bin/sh", "-c", Loop, "sh", folder, command.Walls ? "" : "-", .. command.Words,
        ];
        var start = new ProcessStartInfo("/bin/sh", words) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = "/" };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/bin:/bin";
        var launcher = new Launcher(Process.Start(start)!);
        if (await launcher.AnswerAsync(cancellation) == "up") return launcher;
        var cause = await launcher.CauseAsync();
        await launcher.DisposeAsync();
        throw new SandboxFaultException($"the launching shell does not come up: {cause}");
    }

    /// <summary>Starts a program over the folder's pipes and returns when it holds their other ends.</summary>
    /// <returns>the process id of bubblewrap</returns>
    public async Task<int> StartProgramAsync(CancellationToken cancellation)
    {
        await TellAsync("start");
        string? answer;
        // How the one before ended has been told elsewhere.
        do answer = await AnswerAsync(cancellation);
        while (answer?.StartsWith("ended ", StringComparison.Ordinal) == true);
        return answer?.Split(' ') is ["started", var id] ? int.Parse(id, CultureInfo.InvariantCulture) : throw new SandboxFaultException($"the launching shell cannot start a program: {await CauseAsync()}");
    }

    /// <summary>bubblewrap, and with it everything inside.</summary>
    public Task KillProgramAsync() => TellAsync("kill");

    /// <summary>Lets the shell take note of a program's end, whose status is known.</summary>
    public Task ForgetProgramAsync() => TellAsync("wait");

    /// <returns>the status that bubblewrap itself ended with</returns>
    public async Task<int> WaitProgramAsync(CancellationToken cancellation)
    {
        await TellAsync("wait");
        return await AnswerAsync(cancellation) is { } answer && answer.Split(' ') is ["ended", var code] ? int.Parse(code, CultureInfo.InvariantCulture) : throw new SandboxFaultException($"the launching shell was lost: {await CauseAsync()}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_shell.HasExited)
        {
            _shell.StandardInput.Close();
            try
            {
                await _shell.WaitForExitAsync().WaitAsync(Patience);
            }
            catch (TimeoutException)
            {
                _shell.Kill();
            }
        }

        _shell.Dispose();
    }

    private static IEnumerable<string> Limits(SandboxSettings settings, bool groups)
    {
        var prlimit = SandboxCommand.Find("prlimit") ?? throw new SandboxFaultException("prlimit is missing: apt-get install util-linux");
        // With a group the address space is only kept from being absurd, because a limit on it also counts what is never touched.
        var space = groups ? Math.Max(1L << 30, 4 * settings.MemoryLimit) : settings.MemoryLimit + (64 << 20);
        // Reached only where the wall clock failed: processor time on all cores.
        var seconds = (Math.Ceiling(settings.TimeLimit.TotalSeconds) * Environment.ProcessorCount) + 10;
        return [prlimit, $"--cpu={seconds:0}", $"--as={space}", "--nproc=4000", "--nofile=64", $"--fsize={settings.FileLimit}", "--core=0", "--memlock=0", "--msgqueue=0", "--"];
    }

    private static IEnumerable<string> AsUser(int id)
    {
        var setpriv = SandboxCommand.Find("setpriv") ?? throw new SandboxFaultException("setpriv is missing: apt-get install util-linux");
        return [setpriv, $"--reuid={id}", $"--regid={id}", "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"];
    }

    private async Task TellAsync(string verb)
    {
        try
        {
            await _shell.StandardInput.WriteAsync($"{verb}\n");
            await _shell.StandardInput.FlushAsync();
        }
        catch (Exception lost) when (lost is IOException or ObjectDisposedException)
        {
            throw new SandboxFaultException($"the launching shell was lost: {await CauseAsync()}", lost);
        }
    }

    private async Task<string?> AnswerAsync(CancellationToken cancellation)
    {
        try
        {
            return await _shell.StandardOutput.ReadLineAsync(cancellation).AsTask().WaitAsync(Patience, cancellation);
        }
        catch (TimeoutException hung)
        {
            throw new SandboxFaultException($"the launching shell does not answer within {Patience.TotalSeconds:0} s", hung);
        }
    }

    private async Task<string> CauseAsync()
    {
        try
        {
            await _shell.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(2));
        }
        catch (TimeoutException)
        {
            return "it answers wrongly";
        }

        var errors = (await _errors).Trim();
        return $"it ended with {_shell.ExitCode}{(errors.Length > 0 ? $": {errors}" : _shell.ExitCode == 137 ? ", killed from outside (SIGKILL)" : "")}";
    }
}
