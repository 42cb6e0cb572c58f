using Lateral.Core.Rewards;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Composites;

/// <summary>
/// The reward of coupled-GRPO (DiffuCoder, arXiv 2506.20639) and ESPO (arXiv 2512.03759) for code: <c>tests x pass rate</c> where the form is whole, and <c>format x form</c>, form being 1 for a code block with a legal program,
/// .5 for one with a syntax error, 0 for none. Published weights are 2.0 and 0.5. Parts: <c>format</c> and <c>tests</c>, each with what it adds.
/// </summary>
/// <param name="tests">weight of the fraction of tests that pass</param>
/// <param name="format">weight of the form</param>
public sealed class CodeReward(ICodeJudge judge, double tests, double format) : IPreparedReward
{
    public async ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) => await judge.JudgeAsync(request, cancellation) switch
    {
        CodeJudgement.Judged { Fenced: true, Parses: true, PassRate: var rate } => Scored(1, rate),
        CodeJudgement.Judged { Fenced: true } => Scored(.5, 0),
        CodeJudgement.Judged => Scored(0, 0),
        CodeJudgement.NotJudged { Fault: var fault } => fault,
        var other => throw new NotSupportedException($"no reward of {other.GetType().Name}"),
    };

    public Task PrepareAsync(CancellationToken cancellation) => judge.PrepareAsync(cancellation);

    private RewardOutcome Scored(double form, double rate) => Outcomes.Scored(format * form + tests * rate, ("format", format * form), ("tests", tests * rate));
}
