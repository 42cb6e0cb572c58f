using System.Text;
using Lateral.Rewards.Code;
using Lateral.Rewards.Sandbox;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Tests.Sandbox;

/// <summary>A machine without bubblewrap: refused, unless somebody says that no walls are needed.</summary>
public sealed class UnsandboxedTests
{
    private static readonly SandboxSettings Without = SandboxFixture.Settings with { Slots = 1, Bubblewrap = null };

    [PythonFact]
    public async Task Missing_bubblewrap_must_refuse_the_start_and_say_how_to_get_it()
    {
        var refusal = await Assert.ThrowsAsync<Core.Rewards.RewardUnavailableException>(() => new CodeVerifier(Without, (_, judgement) => CodeScores.Tests(judgement, isRate: false), TimeProvider.System).PrepareAsync(default));
        Assert.Contains("bubblewrap is not installed - apt-get install bubblewrap", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("`bwrap --unshare-all --ro-bind / / true` has to end with status 0", refusal.Message, StringComparison.Ordinal);
    }

    [PythonFact]
    public async Task Accepted_without_walls_it_must_run_programs_with_limits_and_pass_its_self_test()
    {
        var settings = Without with { AcceptUnsandboxed = true };
        await using var sandbox = await PythonSandbox.OpenAsync(settings, default);
        Assert.False(sandbox.Protection.Walls);
        Assert.Contains("no walls", sandbox.Protection.Missing[0], StringComparison.Ordinal);
        await SelfTest.RunAsync(sandbox, settings, default);
        var exited = Assert.IsType<SandboxResult.Exited>(await sandbox.RunAsync(new SandboxJob("import sys; print(6 * 7); sys.exit(3)"), default));
        Assert.Equal((3, "42\n"), (exited.Code, Encoding.UTF8.GetString(exited.Output)));
    }

    [SandboxFact]
    public async Task Accepting_no_walls_must_not_take_them_away_where_they_are()
    {
        await using var sandbox = await PythonSandbox.OpenAsync(SandboxFixture.Settings with { Slots = 1, AcceptUnsandboxed = true }, default);
        Assert.True(sandbox.Protection.Walls);
    }
}

/// <summary>A fact that runs Python outside of a sandbox; it is skipped, saying so, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PythonFact : FactAttribute
{
    public PythonFact() => Skip = File.Exists(PythonInstallation.Usual) && OperatingSystem.IsLinux() ? null : $"needs {PythonInstallation.Usual}";
}
