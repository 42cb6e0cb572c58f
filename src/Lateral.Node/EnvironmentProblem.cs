using System.Net;
using System.Net.Sockets;

namespace Lateral.Node;

/// <summary>Failures of the machine, told in the user's words.</summary>
internal static class EnvironmentProblem
{
    /// <summary>Free space below which a run does not start: a few checkpoints of a small model and its journal.</summary>
    public const long LeastFreeBytes = 64L << 20;

    private const int NoSpaceLinux = 28, NoSpaceWindows = 112;

    /// <summary>Whether the cause, or a cause of the cause, is that the disk is full.</summary>
    public static bool IsDiskFull(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is IOException && (cause.HResult & 0xFFFF) is NoSpaceLinux or NoSpaceWindows) return true;
            if (cause is AggregateException many && many.InnerExceptions.Any(IsDiskFull)) return true;
            // SQLite says it in words of its own.
            if (cause.Message.Contains("database or disk is full", StringComparison.Ordinal)) return true;
        }

        return false;
    }

    /// <summary>Runs a piece of file work; a refusal of the file system becomes one clear message.</summary>
    public static void Explain(string what, Action work)
    {
        try
        {
            work();
        }
        catch (Exception error) when (IsDiskFull(error))
        {
            throw new UserException(ExitCode.Environment, $"{what}: the disk is full; free some space, or choose another --runs-dir", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitCode.Environment, $"{what}: {error.Message}; choose another --runs-dir", error);
        }
    }

    /// <exception cref="UserException">too little space is left where the folder lies</exception>
    public static void RequireSpace(string folder, long freeBytes)
    {
        if (freeBytes < LeastFreeBytes)
            throw new UserException(ExitCode.Environment, $"{folder} has {freeBytes >> 20} MiB left and a run needs at least {LeastFreeBytes >> 20} MiB; free some space, or choose another --runs-dir");
    }

    public static long FreeBytes(string folder) => new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;

    /// <exception cref="UserException">the host is not this machine's, or the port is taken; port 0 is always free</exception>
    public static async Task RequirePortAsync(string host, int port, CancellationToken cancellation)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(host, cancellation);
            using var listener = new TcpListener(addresses[0], port) { ExclusiveAddressUse = true };
            listener.Start();
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new UserException(ExitCode.Environment, $"port {port} on {host} is in use; set topology.port = 0 (any free port), or stop the program that holds it", error);
        }
        catch (SocketException error)
        {
            throw new UserException(ExitCode.Environment, $"cannot listen on {host}:{port}: {error.Message}; set topology.host to an address of this machine", error);
        }
    }
}
