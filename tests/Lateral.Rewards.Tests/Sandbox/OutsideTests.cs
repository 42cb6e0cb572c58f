using Lateral.Rewards.Sandbox;

namespace Lateral.Rewards.Tests.Sandbox;

/// <summary>What somebody outside does to a running sandbox is never the program's doing.</summary>
[Collection(ChildProcesses.Name)]
public sealed class OutsideTests
{
    [SandboxTheory]
    [InlineData("python3")]
    [InlineData("bwrap")]
    [InlineData("sh")]
    public async Task Killing_a_part_of_a_sandbox_must_be_a_fault_and_the_next_program_must_run(string part)
    {
        await using var sandbox = await PythonSandbox.OpenAsync(SandboxFixture.Settings with { Slots = 1, TimeLimit = TimeSpan.FromSeconds(30) }, default);
        await sandbox.RunAsync(new SandboxJob("print(1)"), default);
        var running = sandbox.RunAsync(new SandboxJob("import os\nos.fork()\nwhile True: pass"), default);
        var victim = (await DescendantsAsync(atLeast: 5)).First(process => process.Name.StartsWith(part, StringComparison.Ordinal));
        Descendants.Kill(victim.Id);
        var fault = Assert.IsType<SandboxResult.Fault>(await running);
        Assert.Contains("outside", fault.Cause, StringComparison.Ordinal);
        Assert.IsType<SandboxResult.Exited>(await sandbox.RunAsync(new SandboxJob("print(1)"), default));
        await sandbox.DisposeAsync();
        await GoneAsync();
    }

    /// <summary>Where the sandbox has seen its end already it costs nothing; in the moment before, it is a fault with its cause, and never a program's result.</summary>
    [SandboxFact]
    public async Task Waiting_interpreter_that_is_killed_must_cost_at_most_a_fault()
    {
        await using var sandbox = await PythonSandbox.OpenAsync(SandboxFixture.Settings with { Slots = 1 }, default);
        await sandbox.RunAsync(new SandboxJob("print(1)"), default);
        foreach (var process in (await DescendantsAsync(atLeast: 4)).Where(process => process.Name.StartsWith("python3", StringComparison.Ordinal))) Descendants.Kill(process.Id);
        await GoneAsync("python3");
        if (await sandbox.RunAsync(new SandboxJob("print(1)"), default) is SandboxResult.Fault fault) Assert.Contains("outside", fault.Cause, StringComparison.Ordinal);
        Assert.IsType<SandboxResult.Exited>(await sandbox.RunAsync(new SandboxJob("print(1)"), default));
    }

    [SandboxFact]
    public async Task Disposing_must_leave_no_process_folder_or_group()
    {
        var before = Groups();
        var sandbox = await PythonSandbox.OpenAsync(SandboxFixture.Settings, default);
        await sandbox.RunAsync(new SandboxJob("print(1)"), default);
        if (sandbox.Protection.Groups) Assert.NotEqual(before, Groups());
        await sandbox.DisposeAsync();
        Assert.Equal(before, Groups());
        await GoneAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => sandbox.RunAsync(new SandboxJob("print(1)"), default));
    }

    private static string[] Groups()
    {
        var mine = $"lateral-{Environment.ProcessId}-";
        return Directory.Exists("/sys/fs/cgroup") ? [.. Directory.EnumerateDirectories("/sys/fs/cgroup", mine + "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 6 }).Order()] : [];
    }

    private static async Task<IReadOnlyList<(int Id, string Name)>> DescendantsAsync(int atLeast)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        for (; ; await Task.Delay(20, deadline.Token))
        {
            if (Descendants.All() is { } found && found.Count >= atLeast && found.Any(process => process.Name.StartsWith("python3", StringComparison.Ordinal))) return found;
        }
    }

    private static async Task GoneAsync(string name = "")
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Descendants.All().Any(process => process.Name.StartsWith(name, StringComparison.Ordinal))) await Task.Delay(20, deadline.Token);
    }
}
