using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Composites;

namespace Lateral.Rewards.Tests.Composites;

/// <summary>The formula of the code rewards; what programs do is the judge's.</summary>
public sealed class CodeRewardTests
{
    private static readonly RewardRequest Request = new(new RolloutId(0, 0), new Prompt(0, [], "", ""), "");

    [Theory]
    [InlineData(true, true, 1, 2.5, .5, 2)]
    [InlineData(true, true, .25, 1, .5, .5)]
    [InlineData(true, true, 0, .5, .5, 0)]
    // Tests count only where the form is whole, whatever the judge says of them.
    [InlineData(true, false, 1, .25, .25, 0)]
    [InlineData(false, false, 0, 0, 0, 0)]
    [InlineData(false, true, 1, 0, 0, 0)]
    public async Task Code_must_be_rewarded_for_its_form_and_the_tests_it_passes(bool fenced, bool parses, double rate, double value, double format, double tests) =>
        CompositeTests.AssertScored(await Reward(new CodeJudgement.Judged(fenced, parses, rate)).ScoreAsync(Request, CancellationToken.None), value, ("format", format), ("tests", tests));

    [Fact]
    public async Task Fault_of_the_judge_must_be_passed_on()
    {
        var fault = new RewardOutcome.InfraFault("sandbox-lost");
        Assert.Same(fault, await Reward(new CodeJudgement.NotJudged(fault)).ScoreAsync(Request, CancellationToken.None));
    }

    [Fact]
    public async Task Preparation_must_be_the_judge_s() =>
        await Assert.ThrowsAsync<RewardUnavailableException>(() => Reward(new CodeJudgement.Judged(true, true, 1)).PrepareAsync(CancellationToken.None));

    private static CodeReward Reward(CodeJudgement judgement) => new(new Judge(judgement), tests: 2, format: .5);

    private sealed class Judge(CodeJudgement judgement) : ICodeJudge
    {
        public ValueTask<CodeJudgement> JudgeAsync(RewardRequest request, CancellationToken cancellation) => ValueTask.FromResult(judgement);

        public Task PrepareAsync(CancellationToken cancellation) => throw new RewardUnavailableException("nothing to run programs with");
    }
}
