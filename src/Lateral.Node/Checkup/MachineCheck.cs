using System.Runtime.InteropServices;
using Lateral.Node.Estimation;

namespace Lateral.Node.Checkup;

/// <summary>The machine and the programs beside libtorch.</summary>
internal static class MachineCheck
{
    public static async IAsyncEnumerable<Finding> OfAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return new Finding("system", true, $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores, {Bytes.Text(DeviceMemory.Host)}");
        yield return new Finding(".NET", true, RuntimeInformation.FrameworkDescription);
        yield return await Tool.FirstLineAsync("dotnet", ["--version"], cancellation) is { } sdk
            ? new Finding("SDK", true, sdk)
            : new Finding("SDK", true, "none", "only building needs one: .NET 10");
        yield return await SandboxAsync(cancellation);
        yield return await PortAsync("127.0.0.1", 0, cancellation);
    }

    /// <exception cref="OperationCanceledException">the caller gave up</exception>
    public static async Task<Finding> PortAsync(string host, int port, CancellationToken cancellation)
    {
        var subject = port == 0 ? "loopback" : "port";
        try
        {
            await EnvironmentProblem.RequirePortAsync(host, port, cancellation);
            return new Finding(subject, true, port == 0 ? $"{host} can be listened on" : $"{host}:{port} is free");
        }
        catch (UserException failure)
        {
            return new Finding(subject, false, failure.Message, $"allow listening on {host}: the run's parts talk over it");
        }
    }

    /// <summary>Executed code is the only thing that needs it, so that its absence is no fault of the machine.</summary>
    private static async Task<Finding> SandboxAsync(CancellationToken cancellation) =>
        await Tool.FirstLineAsync("bwrap", ["--version"], cancellation) is { } version
            ? await Tool.FirstLineAsync("bwrap", ["--ro-bind", "/", "/", "--unshare-all", "--", "/bin/echo", "well"], cancellation) == "well"
                ? new Finding("sandbox", true, version)
                : new Finding("sandbox", true, $"{version}, but it cannot start a sandbox here", "rewards that execute code need user namespaces (sysctl user.max_user_namespaces, or the container's seccomp profile)")
            : new Finding("sandbox", true, "no bubblewrap", "rewards that execute code need it: apt-get install bubblewrap");
}
