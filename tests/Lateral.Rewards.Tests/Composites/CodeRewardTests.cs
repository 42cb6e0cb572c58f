using Lateral.Core.Rewards;
using Lateral.Rewards.Code;

namespace Lateral.Rewards.Tests.Composites;

/// <summary>The formula of the code rewards; what programs do is the judge's.</summary>
public sealed class CodeRewardTests
{
    private const string Fenced = "Here:\n```python\nx = 1\n```", Bare = "x = 1";

    [Theory]
    [InlineData(Fenced, true, 4, 2.5, .5, 2)]
    [InlineData(Fenced, true, 1, 1, .5, .5)]
    [InlineData(Fenced, true, 0, .5, .5, 0)]
    // Tests count only where the form is whole, whatever the judge says of them.
    [InlineData(Fenced, false, 4, .25, .25, 0)]
    [InlineData(Bare, false, 0, 0, 0, 0)]
    [InlineData(Bare, true, 4, 0, 0, 0)]
    public void Code_must_be_rewarded_for_its_form_and_the_tests_it_passes(string completion, bool parses, int passed, double value, double format, double tests) =>
        CompositeTests.AssertScored(CodeScores.FormAndTests(completion, new CodeJudgement.Judged(parses, passed, 4, Trusted: true), 2, .5), value, ("format", format), ("tests", tests));

    [Fact]
    public void Program_over_a_limit_must_keep_its_form_and_pass_nothing() =>
        CompositeTests.AssertScored(CodeScores.FormAndTests(Fenced, new CodeJudgement.OverLimit("timeout"), 2, .5), .5, ("format", .5), ("tests", 0));

    [Fact]
    public void Fault_of_the_sandbox_must_never_be_worth_anything()
    {
        Assert.Throws<ArgumentException>(() => CodeScores.FormAndTests(Fenced, new CodeJudgement.Fault("lost"), 2, .5));
        Assert.Throws<ArgumentException>(() => CodeScores.Tests(new CodeJudgement.Fault("lost"), isRate: true));
        Assert.Equal(new RewardOutcome.ModelFault("timeout"), CodeScores.Tests(new CodeJudgement.OverLimit("timeout"), isRate: true));
    }
}
