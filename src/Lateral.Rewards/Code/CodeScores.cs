using Lateral.Core.Rewards;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Code;

/// <summary>What the judgement of a program is worth.</summary>
internal static class CodeScores
{
    /// <summary>
    /// 1 where every test passes, else 0; or the share of tests that pass. Parts: <c>answer</c> (1: all of them pass), <c>rate</c>, <c>syntax</c> (it can be parsed), <c>trusted</c> (1: every value was compared outside of a
    /// sandbox; 0: Python compared, in a sandbox without the program). A program over a limit is a model fault.
    /// </summary>
    public static RewardOutcome Tests(CodeJudgement judgement, bool isRate) => judgement switch
    {
        CodeJudgement.Judged judged => Outcomes.Scored(
            isRate ? judged.Rate : Outcomes.OneIf(judged.Passed == judged.Total),
            ("answer", Outcomes.OneIf(judged.Passed == judged.Total)), ("rate", judged.Rate), ("syntax", Outcomes.OneIf(judged.Syntax)), ("trusted", Outcomes.OneIf(judged.Trusted))),
        CodeJudgement.OverLimit over => new RewardOutcome.ModelFault(over.Kind),
        var other => throw new ArgumentException($"a judgement of the form {other.GetType().Name} is worth nothing", nameof(judgement)),
    };

    /// <summary>
    /// The reward of coupled-GRPO (DiffuCoder, arXiv 2506.20639) and ESPO (arXiv 2512.03759) for code: <c>tests x pass rate</c> where the form is whole, and <c>format x form</c>, form being 1 for a code block with a legal program,
    /// .5 for one with a syntax error, 0 for none. Published weights are 2.0 and 0.5. Parts: <c>format</c> and <c>tests</c>, each with what it adds, and <c>answer</c> (1: all tests pass). A program over a limit has its form and passes no test.
    /// </summary>
    public static RewardOutcome FormAndTests(string completion, CodeJudgement judgement, double tests, double format)
    {
        var fenced = CompletionCode.IsFenced(completion);
        return judgement switch
        {
            CodeJudgement.Judged { Syntax: true } judged when fenced => Scored(1, judged.Rate),
            CodeJudgement.OverLimit when fenced => Scored(1, 0),
            CodeJudgement.Judged when fenced => Scored(.5, 0),
            CodeJudgement.Judged or CodeJudgement.OverLimit => Scored(0, 0),
            var other => throw new ArgumentException($"a judgement of the form {other.GetType().Name} is worth nothing", nameof(judgement)),
        };

        RewardOutcome Scored(double form, double rate) => Outcomes.Scored((format * form) + (tests * rate), ("format", format * form), ("tests", tests * rate), ("answer", Outcomes.OneIf(rate >= 1)));
    }

    /// <summary>The reward kind <c>code</c>.</summary>
    public static IReward ByTests(VerifierKeys keys)
    {
        var isRate = keys.OneOf("value", "all", "rate") == "rate";
        return new CodeVerifier(CodeSettings.Of(keys), (_, judgement) => Tests(judgement, isRate), TimeProvider.System);
    }

    /// <summary>The reward kinds <c>diffucoder-code</c> and <c>espo-code</c>.</summary>
    public static IReward ByFormAndTests(VerifierKeys keys)
    {
        var (tests, format) = (AnswerVerifiers.Weight(keys, "tests"), AnswerVerifiers.Weight(keys, "format"));
        return new CodeVerifier(CodeSettings.Of(keys), (completion, judgement) => FormAndTests(completion, judgement, tests, format), TimeProvider.System);
    }
}
