using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Code;
using Lateral.Rewards.Sandbox;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Tests.Code;

/// <summary>One judge, with its sandbox, for all tests of a class.</summary>
public sealed class CodeFixture : IAsyncLifetime
{
    public static SandboxSettings Settings { get; } = new() { TimeLimit = TimeSpan.FromSeconds(6), Slots = 2 };

    internal CodeVerifier Verifier { get; } = new(Settings, (_, judgement) => CodeScores.Tests(judgement, isRate: true), TimeProvider.System);

    internal CodeJudge Judge => Verifier.Judge;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await Judge.DisposeAsync();

    internal async Task<RewardOutcome> ScoreAsync(CodeProblem problem, string completion) => await Verifier.ScoreAsync(Request(problem, completion), default);

    internal static RewardRequest Request(CodeProblem problem, string completion) => new(new RolloutId(0, 0), new Prompt(0, [], "", problem.ToReference()), completion);

    /// <summary>Passed tests, all tests.</summary>
    internal async Task<(int Passed, int Total)> CountAsync(CodeProblem problem, string completion)
    {
        var judged = Assert.IsType<CodeJudgement.Judged>(await Judge.JudgeAsync(problem, completion, default));
        return (judged.Passed, judged.Total);
    }
}
