using System.Text;
using Lateral.Rewards.Sandbox;
using Lateral.Tests;

namespace Lateral.Rewards.Tests.Sandbox;

/// <summary>One sandbox for all tests of a class, and whether this machine can have one.</summary>
public sealed class SandboxFixture : IAsyncLifetime
{
    private PythonSandbox? _sandbox;

    public static SandboxSettings Settings { get; } = new() { TimeLimit = TimeSpan.FromSeconds(4), Slots = 2 };

    internal PythonSandbox Sandbox => _sandbox!;

    public async Task InitializeAsync()
    {
        if (SandboxFact.Missing is null) _sandbox = await PythonSandbox.OpenAsync(Settings, default);
    }

    public async Task DisposeAsync()
    {
        if (_sandbox is not null) await _sandbox.DisposeAsync();
    }

    internal Task<SandboxResult> RunAsync(string program) => Sandbox.RunAsync(new SandboxJob(program), default);

    /// <summary>What a program prints that has to end well.</summary>
    internal async Task<string> PrintedAsync(string program)
    {
        var exited = Assert.IsType<SandboxResult.Exited>(await RunAsync(program));
        Assert.True(exited.Code == 0, $"{exited.Code}: {Encoding.UTF8.GetString(exited.Errors)}");
        return Encoding.UTF8.GetString(exited.Output).Trim();
    }
}

/// <summary>A fact that runs programs in a sandbox; it is skipped, saying why, where there can be none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SandboxFact : FactAttribute
{
    public SandboxFact() => Skip = Missing;

    /// <summary>Null where this machine can have no sandbox.</summary>
    public static Protection? Protection { get; private set; }

    public static string? Missing { get; } = Find();

    private static string? Find()
    {
        try
        {
            var sandbox = PythonSandbox.OpenAsync(SandboxFixture.Settings with { Slots = 1 }, default).GetAwaiter().GetResult();
            Protection = sandbox.Protection;
            sandbox.DisposeAsync().AsTask().Wait();
            return null;
        }
        catch (SandboxUnavailableException missing)
        {
            return missing.Message;
        }
    }
}

/// <summary>A fact of that kind that reads the shared folder, too.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedSandboxFact : FactAttribute
{
    public SharedSandboxFact() => Skip = SharedFolder.Root is null ? "needs the data in ../shared, which this checkout does not have" : SandboxFact.Missing;
}

/// <summary>A theory of that kind.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SandboxTheory : TheoryAttribute
{
    public SandboxTheory() => Skip = SandboxFact.Missing;
}

/// <summary>A theory about limits that hold for all processes of a program together.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GroupTheory : TheoryAttribute
{
    public GroupTheory() => Skip = SandboxFact.Missing ?? (SandboxFact.Protection!.Groups ? null : "no memory and pids cgroup can be written here");
}
