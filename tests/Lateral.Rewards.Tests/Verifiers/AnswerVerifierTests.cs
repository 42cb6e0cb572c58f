using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Tests.Composites;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Tests.Verifiers;

public sealed class AnswerVerifierTests
{
    [Theory]
    [InlineData("flexible", "#### 18\nand 3 more", 0, 1)]
    [InlineData("strict", "#### 18\nand 3 more", 1, 1)]
    [InlineData("flexible", "It is $18.00.", 1, 1)]
    [InlineData("strict", "It is $18.00.", 0, 0)]
    [InlineData("flexible", "none", 0, 0)]
    public async Task Gsm8k_must_judge_by_its_rule(string rule, string completion, double answer, double format)
    {
        foreach (var reference in (string[])["18", "so\n#### 18"])
            CompositeTests.AssertScored(await Score("gsm8k", reference, completion, ("rule", rule)), answer, ("answer", answer), ("format", format));
    }

    [Theory]
    [InlineData("boxed", @"<answer>3</answer> \boxed{\frac{2}{4}}", 1)]
    [InlineData("answer", @"<answer>0.5</answer> \boxed{3}", 1)]
    [InlineData("answer", @"<answer>It is \boxed{0.5}.</answer>", 1)]
    [InlineData("marked", "#### .5", 1)]
    [InlineData("stated", @"The answer is $\frac12$.", 1)]
    [InlineData("last", "1, 2, 0.5", 1)]
    [InlineData("any", "#### 0.5, not 7", 1)]
    [InlineData("any", @"\boxed{7}, not 0.5", 0)]
    [InlineData("boxed", "0.5", 0)]
    public async Task Math_must_look_where_its_key_says(string extract, string completion, double value)
    {
        var scored = Assert.IsType<RewardOutcome.Scored>(await Score("math", @"so \boxed{\frac12}", completion, ("extract", extract)));
        Assert.Equal((value, value), (scored.Value, scored.Breakdown["answer"]));
    }

    [Theory]
    [InlineData(" Yes\n", "on", "off", 1)]
    [InlineData(" Yes\n", "off", "off", 0)]
    [InlineData("yes", "on", "off", 0)]
    [InlineData("yes", "on", "on", 1)]
    [InlineData("Yes, it is", "on", "on", 0)]
    public async Task Exact_must_compare_characters(string completion, string trim, string ignoreCase, double value) =>
        CompositeTests.AssertScored(await Score("exact", "Yes", completion, ("trim", trim), ("ignore-case", ignoreCase)), value, ("answer", value));

    [Theory]
    [InlineData("[0-9]{3}", "search", "ab123c", 1)]
    [InlineData("[0-9]{3}", "full", "ab123c", 0)]
    [InlineData("[0-9]{3}", "full", "123", 1)]
    [InlineData("[0-9]{3}", "full", "123\n", 0)]
    [InlineData("a|ab", "full", "ab", 1)]
    [InlineData("(a*)*b", "search", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", 0)]
    public async Task Regex_must_match_somewhere_or_all(string pattern, string match, string completion, double value) =>
        CompositeTests.AssertScored(await Score("regex", "", completion, ("pattern", pattern), ("match", match)), value, ("match", value));

    [Theory]
    [InlineData("(")]
    [InlineData(@"(a)\1")]
    [InlineData("(?=a)b")]
    public void Regex_must_refuse_a_pattern_that_is_none_or_not_linear(string pattern)
    {
        var error = Assert.Throws<RewardSettingException>(() => VerifierRegistry.Create("regex", ReferenceKinds.Of("regex", ("pattern", pattern))));
        Assert.Equal("pattern", error.Key);
        Assert.StartsWith($"pattern = {pattern}: must be a regular expression of .NET's linear engine: ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("regex", "match", "search", "pattern is missing: reward kind regex needs it")]
    [InlineData("gsm8k", "rule", "loose", "rule = loose: must be flexible or strict")]
    [InlineData("math", "extract", "box", "extract = box: must be one of boxed, answer, marked, stated, last, any")]
    public void Wrong_key_must_be_told_with_what_it_may_be(string kind, string key, string value, string message) =>
        Assert.Equal(message, Assert.Throws<RewardSettingException>(() => VerifierRegistry.Create(kind, ReferenceKinds.Of(kind, (key, value)))).Message);

    [Fact]
    public void Reference_must_have_the_keys_of_every_kind_and_no_others()
    {
        foreach (var kind in VerifierRegistry.Kinds)
            Assert.NotNull(VerifierRegistry.Create(kind, ReferenceKinds.Of(kind, Required(kind))));
    }

    private static (string, string)[] Required(string kind) => kind switch
    {
        "regex" => [("pattern", ".")],
        "judge" => [("url", "http://localhost:8000/v1"), ("model", "any")],
        "assembly" => [("path", "any.dll")],
        _ => [],
    };

    private static ValueTask<RewardOutcome> Score(string kind, string reference, string completion, params (string, string)[] keys) =>
        VerifierRegistry.Create(kind, ReferenceKinds.Of(kind, keys)).ScoreAsync(new(new RolloutId(0, 0), new Prompt(0, [], "", reference), completion), CancellationToken.None);
}
