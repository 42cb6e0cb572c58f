using Lateral.Core.Rewards;
using Lateral.Rewards.Sandbox;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Code;

/// <summary>Programs, judged by their problem's tests in a sandbox. The reference is a <see cref="CodeProblem"/>.</summary>
/// <param name="score">what a completion's judgement is worth; never asked about a fault</param>
internal sealed class CodeVerifier(SandboxSettings settings, Func<string, CodeJudgement, RewardOutcome> score, TimeProvider time) : IPreparedReward, IAsyncDisposable
{
    internal CodeJudge Judge { get; } = new(new GuardedSandbox(settings, time));

    /// <summary>Which walls this machine does not give.</summary>
    public IReadOnlyList<string> Notes { get; private set; } = [];

    public async Task PrepareAsync(CancellationToken cancellation)
    {
        try
        {
            Notes = (await Judge.PrepareAsync(cancellation)).Missing;
        }
        catch (SandboxUnavailableException missing)
        {
            throw new RewardUnavailableException($"the reward runs what a model writes, and cannot do so safely here: {missing.Message}", missing);
        }
    }

    public async ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation)
    {
        if (CodeProblem.Read(request.Prompt.Reference) is not { } problem) return Outcomes.UnreadableReference;
        var judgement = await Judge.JudgeAsync(problem, request.Completion, cancellation);
        return judgement is CodeJudgement.Fault fault ? new RewardOutcome.InfraFault(fault.Cause) : score(request.Completion, judgement);
    }

    public ValueTask DisposeAsync() => Judge.DisposeAsync();
}
