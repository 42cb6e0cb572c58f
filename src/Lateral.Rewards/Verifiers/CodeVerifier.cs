using Lateral.Core.Rewards;
using Lateral.Rewards.Code;
using Lateral.Rewards.Sandbox;

namespace Lateral.Rewards.Verifiers;

/// <summary>
/// Programs, judged by their problem's tests in a sandbox. The reference is a <see cref="CodeProblem"/>. The value is 1 where every test passes, else 0, or the share of tests that pass. Parts: <c>passed</c> (all of
/// them), <c>rate</c>, <c>syntax</c> (it can be parsed), <c>trusted</c> (1: every value was compared outside of a sandbox; 0: Python compared, in a sandbox without the program). A program over a limit is a model fault.
/// </summary>
internal sealed class CodeVerifier(CodeSettings settings, TimeProvider time) : IPreparedReward
{
    /// <summary>For rewards that are made of several; it shares this verifier's slots and plans.</summary>
    internal CodeJudge Judge { get; } = new(new GuardedSandbox(settings.Sandbox, time));

    public async Task PrepareAsync(CancellationToken cancellation)
    {
        try
        {
            await Judge.PrepareAsync(cancellation);
        }
        catch (SandboxUnavailableException missing)
        {
            throw new RewardUnavailableException($"the reward kind code runs what a model writes, and cannot do so safely here: {missing.Message}", missing);
        }
    }

    public async ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation)
    {
        if (CodeProblem.Read(request.Prompt.Reference) is not { } problem) return Outcomes.UnreadableReference;
        return await Judge.JudgeAsync(problem, request.Completion, cancellation) switch
        {
            CodeJudgement.Judged judged => Outcomes.Scored(
                settings.IsRate ? judged.Rate : Outcomes.OneIf(judged.Passed == judged.Total),
                ("passed", Outcomes.OneIf(judged.Passed == judged.Total)), ("rate", judged.Rate), ("syntax", Outcomes.OneIf(judged.Syntax)), ("trusted", Outcomes.OneIf(judged.Trusted))),
            CodeJudgement.OverLimit over => new RewardOutcome.ModelFault(over.Kind),
            CodeJudgement.Fault fault => new RewardOutcome.InfraFault(fault.Cause),
            var other => throw new InvalidOperationException($"a judgement of the form {other.GetType().Name}"),
        };
    }
}
