using System.Globalization;

namespace Lateral.Node.Runs;

/// <summary>
/// Two processes never write one run directory: the operating system holds this lock for the process and releases it
/// however the process ends. The owner's id lies in a file of its own, because a locked file cannot be read.
/// </summary>
public sealed class RunLock : IDisposable
{
    internal const string FileName = "run.lock";
    internal const string OwnerFileName = "run.owner";

    private readonly FileStream _file;

    private RunLock(FileStream file) => _file = file;

    /// <exception cref="UserException">another process works on the run, or the directory cannot be written</exception>
    public static RunLock Acquire(RunDirectory directory)
    {
        var owner = Path.Combine(directory.Root, OwnerFileName);
        FileStream file;
        try
        {
            file = new FileStream(Path.Combine(directory.Root, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(owner))
        {
            throw new UserException(
                ExitCode.Environment,
                $"run '{directory.Name}' is being worked on by process {File.ReadAllText(owner).Trim()}; stop it (Ctrl-C saves) or wait for it");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitCode.Environment, $"the run directory {directory.Root} cannot be written: {error.Message}", error);
        }

        var held = new RunLock(file);
        try
        {
            File.WriteAllText(owner, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId} on {Environment.MachineName}\n"));
            return held;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            held.Dispose();
            throw new UserException(ExitCode.Environment, $"the run directory {directory.Root} cannot be written: {error.Message}", error);
        }
    }

    /// <summary>Whether some process works on the run now.</summary>
    public static bool IsHeld(RunDirectory directory)
    {
        var path = Path.Combine(directory.Root, FileName);
        if (!File.Exists(path)) return false;
        try
        {
            using var probe = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public void Dispose() => _file.Dispose();
}
