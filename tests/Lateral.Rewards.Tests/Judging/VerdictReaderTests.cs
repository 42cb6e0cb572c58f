using CsCheck;
using Lateral.Rewards.Judging;

namespace Lateral.Rewards.Tests.Judging;

public sealed class VerdictReaderTests
{
    private static readonly VerdictReader Plain = new([JudgeValue.ScorePart], new Scale(0, 10), rubric: false);

    [Theory]
    [InlineData("""{"score": 7, "reason": "fine"}""", 7)]
    [InlineData("""{"reason": "fine", "score": 7.25}""", 7.25)]
    [InlineData("""{"score": "7"}""", 7)]
    [InlineData("""{"score": 1e1}""", 10)]
    [InlineData("```json\n{\"score\": 3}\n```", 3)]
    [InlineData("Here it is:\n```\n{\"score\": 3}\n```\nDone.", 3)]
    [InlineData("Sets such as {1, 2} are fine, {\"note\": 1} too. {\"score\": 4, \"more\": {\"score\": 9}}", 4)]
    [InlineData("<think>Maybe {\"score\": 10}? No.</think>{\"score\": 2}", 2)]
    [InlineData("""{"score": 5, "reason": "it says {\"score\": 10}"}""", 5)]
    [InlineData("{ { {\"score\": 6}", 6)]
    public void Verdict_must_be_found_where_it_is_the_only_one(string answer, double score)
    {
        var (verdict, mistake) = Plain.Read(answer);
        Assert.Null(mistake);
        Assert.Equal(score, verdict!.Scores["score"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("{\"score\": 7")]
    [InlineData("[{\"scores\": 7}]")]
    [InlineData("{\"verdict\": {\"score\": 7}}")]
    [InlineData("{\"score\": 7}{\"score\": 7}")]
    [InlineData("{\"score\": 7, \"score\": 7}")]
    [InlineData("{\"score\": [7]}")]
    [InlineData("{\"score\": 10.01}")]
    [InlineData("{\"score\": true}")]
    [InlineData("{\"score\": \"∞\"}")]
    public void Anything_else_must_be_no_verdict(string answer)
    {
        var (verdict, mistake) = Plain.Read(answer);
        Assert.Null(verdict);
        Assert.NotEmpty(mistake!);
    }

    [Fact]
    public void Rubric_must_have_every_criterion()
    {
        var reader = new VerdictReader(["truth", "style"], new Scale(1, 5), rubric: true);
        Assert.Equal([("style", 1.0), ("truth", 5.0)], reader.Read("""{"scores": {"truth": 5, "style": "1", "other": 99}}""").Verdict!.Scores.Select(score => (score.Key, score.Value)));
        Assert.StartsWith("its verdict has no score for style", reader.Read("""{"scores": {"truth": 5}}""").Mistake, StringComparison.Ordinal);
        Assert.StartsWith("its score for style is 0, and the scale goes from 1 to 5", reader.Read("""{"scores": {"truth": 5, "style": 0}}""").Mistake, StringComparison.Ordinal);
        Assert.StartsWith("its verdict has no score for truth", reader.Read("""{"scores": 5}""").Mistake, StringComparison.Ordinal);
        Assert.StartsWith("there is no JSON object with scores", reader.Read("""{"score": 5}""").Mistake, StringComparison.Ordinal);
    }

    [Fact]
    public void No_answer_may_throw_or_leave_the_scale() =>
        Gen.OneOf(Gen.String, Gen.String["{}[]\":, score0123456789.e-\\`\n"], Gen.Select(Gen.String, Gen.Double, Gen.String, (before, score, after) => FormattableString.Invariant($"{before}{{\"score\": {score}}}{after}")))
            .Sample(
                answer =>
                {
                    var (verdict, mistake) = Plain.Read(answer);
                    Assert.True(verdict is null != mistake is null);
                    if (verdict is not null) Assert.InRange(verdict.Scores["score"], 0, 10);
                },
                iter: 20_000);

    [Theory]
    [InlineData("", "it has 0 criteria - there must be 1 to 32")]
    [InlineData("truth 1: True?\n\ntruth 2: Really?", "line 3 has the criterion truth again - names must differ")]
    [InlineData("truth: True?", "line 1 is 'truth: True?' - write name weight: question, for example truth 3: Is every statement true?")]
    [InlineData("truth 1.2.3: True?", "line 1 is 'truth 1.2.3: True?' - write name weight: question, for example truth 3: Is every statement true?")]
    [InlineData("truth 0: True?", "line 1 has weight 0 - it must be above 0 and at most 1,000,000")]
    [InlineData("answer 1: Right?", "line 1 calls its criterion answer, which is the part that says whether pass-mark is reached - give it another name")]
    public void Rubric_that_is_none_must_be_told_by_line(string text, string mistake) => Assert.Equal(mistake, Rubric.Parse(text).Mistake);
}
