using Lateral.Core.Rewards;
using Lateral.Rewards.Code;
using Lateral.Rewards.Sandbox;
using Lateral.Rewards.Tests.Code;
using Lateral.Rewards.Verifiers;
using Microsoft.Extensions.Time.Testing;

namespace Lateral.Rewards.Tests.Sandbox;

public sealed class GuardedSandboxTests
{
    private static readonly SandboxSettings Settings = SandboxFixture.Settings with { Slots = 1 };

    private static readonly CodeProblem Problem = new CodeProblem.Mbpp("", ["assert f(1) == 2"]);

    [SandboxFact]
    public async Task Self_test_must_pass_here()
    {
        await using var sandbox = await PythonSandbox.OpenAsync(Settings, default);
        await SelfTest.RunAsync(sandbox, Settings, default);
    }

    [SandboxFact]
    public async Task Sandbox_must_prove_itself_once_an_hour_and_not_more_often()
    {
        var (time, proofs) = (new FakeTimeProvider(), 0);
        await using var guard = new GuardedSandbox(Settings, time)
        {
            Prove = (_, _, _) =>
            {
                proofs++;
                return Task.CompletedTask;
            },
        };
        var first = await guard.GetAsync(default);
        time.Advance(TimeSpan.FromMinutes(59));
        Assert.Same(first, await guard.GetAsync(default));
        Assert.Equal(1, proofs);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Same(first, await guard.GetAsync(default));
        Assert.Equal(2, proofs);
    }

    [SandboxFact]
    public async Task Failing_proof_must_be_a_fault_of_every_scoring_until_it_passes_again()
    {
        var (time, works) = (new FakeTimeProvider(), true);
        var guard = new GuardedSandbox(Settings, time) { Prove = (_, _, _) => works ? Task.CompletedTask : throw new SandboxUnavailableException("the sandbox judges a program that fails wrongly: it ended with 0") };
        await using var judge = new CodeJudge(guard);
        Assert.IsType<CodeJudgement.Judged>(await judge.JudgeAsync(Problem, "def f(x): return 2", default));
        time.Advance(TimeSpan.FromMinutes(61));
        works = false;
        for (var i = 0; i < 2; i++) Assert.Equal(new CodeJudgement.Fault("the sandbox judges a program that fails wrongly: it ended with 0"), await judge.JudgeAsync(Problem, "def f(x): return 2", default));
        works = true;
        Assert.Equal(new CodeJudgement.Judged(true, 1, 1, true), await judge.JudgeAsync(Problem, "def f(x): return 2", default));
    }

    [Fact]
    public async Task Missing_interpreter_must_refuse_the_start_and_be_named()
    {
        var verifier = new CodeVerifier(Settings with { Python = "/nowhere/python3" }, (_, judgement) => CodeScores.Tests(judgement, isRate: false), TimeProvider.System);
        var refusal = await Assert.ThrowsAsync<RewardUnavailableException>(() => verifier.PrepareAsync(default));
        Assert.Contains("there is no Python interpreter at /nowhere/python3", refusal.Message, StringComparison.Ordinal);
        var fault = Assert.IsType<RewardOutcome.InfraFault>(await verifier.ScoreAsync(CodeFixture.Request(Problem, "def f(x): return 2"), default));
        Assert.Contains("/nowhere/python3", fault.Kind, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interpreter_that_is_none_must_be_refused() =>
        Assert.Contains("/bin/false is no working Python 3", (await Assert.ThrowsAsync<SandboxUnavailableException>(() => PythonSandbox.OpenAsync(Settings with { Python = "/bin/false" }, default))).Message, StringComparison.Ordinal);

    [SandboxFact]
    public async Task Preparing_must_run_the_self_test_and_scoring_must_work_after_it()
    {
        var verifier = new CodeVerifier(Settings, (_, judgement) => CodeScores.Tests(judgement, isRate: false), TimeProvider.System);
        await using var judge = verifier.Judge;
        await verifier.PrepareAsync(default);
        Assert.Equal(1, Assert.IsType<RewardOutcome.Scored>(await verifier.ScoreAsync(CodeFixture.Request(Problem, "def f(x): return 2"), default)).Value);
    }

    [SandboxFact]
    public async Task Sandbox_must_say_what_this_machine_does_not_give()
    {
        await using var sandbox = await PythonSandbox.OpenAsync(Settings, default);
        Assert.True(sandbox.Protection.Walls);
        Assert.Equal(sandbox.Protection.Missing.Count, (sandbox.Protection.Groups ? 0 : 1) + (sandbox.Protection.Users ? 0 : 1));
        Assert.Equal(3, new Protection(false, false, false).Missing.Count);
    }
}
