using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Lateral.Actors.Hosting;

/// <summary>
/// A throw-away PostgreSQL server from the programs that are installed: a cluster in a temporary folder, on a free loopback
/// port, a child of this process. For demonstrations and tests: it does not wait for the disk, and is gone when it is disposed.
/// </summary>
public sealed class TemporaryPostgres : IAsyncDisposable
{
    public const string User = "lateral";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly string _folder;
    private readonly List<string> _log = [];
    private Process? _process;

    private TemporaryPostgres(string folder, int port) => (_folder, Port) = (folder, port);

    /// <summary>Folder of initdb and postgres; null = not installed.</summary>
    public static string? Programs { get; } = FindPrograms();

    public int Port { get; }

    /// <summary>Holds the server's data and its Unix socket, by which processes of other network namespaces reach it.</summary>
    public string Folder => _folder;

    public string ConnectionString => $"Host=127.0.0.1;Port={Port};Database=postgres;Username={User}";

    /// <exception cref="InvalidOperationException">a program of the server fails; it says why</exception>
    /// <exception cref="TimeoutException">the server does not listen in time</exception>
    public static async Task<TemporaryPostgres> StartAsync(string password)
    {
        var folder = Directory.CreateTempSubdirectory("lateral-postgres-").FullName;
        var passwords = Path.Combine(folder, "password");
        await File.WriteAllTextAsync(passwords, password);
        // PostgreSQL refuses to run as root.
        if (Environment.IsPrivilegedProcess) await RunAsync("chown", "-R", "nobody", folder);
        await RunAsync(AsUser("initdb", "-D", Path.Combine(folder, "data"), "-U", User, "--auth=scram-sha-256", $"--pwfile={passwords}", "-E", "UTF8", "--locale=C", "--no-sync"));
        var server = new TemporaryPostgres(folder, FreePort());
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Starts the server on the data that it has and waits until it listens.</summary>
    public async Task StartAgainAsync()
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Deadline)
        {
            if (_process is null or { HasExited: true }) Launch();
            if (await ListensAsync()) return;
            await Task.Delay(100);
        }

        throw new TimeoutException($"PostgreSQL did not start within {Deadline}; it said:\n{string.Join('\n', _log)}");
    }

    /// <summary>SIGKILL of the server; its own children end when they notice.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync().WaitAsync(Deadline);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) await KillAsync();
        _process?.Dispose();
        // Children of the server still hold files for a moment.
        for (var attempt = 0; Directory.Exists(_folder); attempt++)
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
            }
            catch (IOException) when (attempt < 50)
            {
                await Task.Delay(100);
            }
        }
    }

    private void Launch()
    {
        _process?.Dispose();
        var data = Path.Combine(_folder, "data");
        _process = Process.Start(Quiet(AsUser("postgres", "-D", data, "-p", $"{Port}", "-c", "listen_addresses=127.0.0.1", "-c", $"unix_socket_directories={_folder}", "-c", "fsync=off", "-c", "max_connections=60")))!;
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private void Note(string? line)
    {
        if (line is null) return;
        lock (_log) _log.Add(line);
    }

    private async Task<bool> ListensAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port);
            lock (_log) return _log.Exists(line => line.Contains("database system is ready", StringComparison.Ordinal)) && !_process!.HasExited;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>setpriv becomes the program itself, so that the id is the server's.</summary>
    private static string[] AsUser(string program, params string[] arguments)
    {
        string[] command = [Path.Combine(Programs!, program), .. arguments];
        return Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=nobody", "--clear-groups", "--", .. command] : command;
    }

    private static async Task RunAsync(params string[] command)
    {
        using var process = Process.Start(Quiet(command))!;
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(Deadline);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{command[0]} ended with {process.ExitCode}: {string.Concat(await said)}");
    }

    private static ProcessStartInfo Quiet(string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        start.Environment["LC_ALL"] = "C";
        return start;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string? FindPrograms()
    {
        if (OperatingSystem.IsWindows()) return null;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).ToList();
        if (Directory.Exists("/usr/lib/postgresql")) folders.AddRange(Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Reverse().Select(version => Path.Combine(version, "bin")));
        return folders.Find(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")));
    }
}
