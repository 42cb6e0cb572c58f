using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Tests.Composites;

/// <summary>The papers' rewards, computed by hand with their published weights.</summary>
public sealed class CompositeTests
{
    private const string Whole = "<reasoning>\n9 and 9.\nSo 18.\n</reasoning>\n<answer>\n18\n</answer>\n";

    [Theory]
    // Four tags, both forms, digits, right: .5 + .5 + .5 + .5 + 2.
    [InlineData(Whole, .5, .5, .5, .5, 2, 4)]
    [InlineData("<reasoning>\n9 and 9.\n</reasoning>\n<answer>\n18\n</answer>", .5, .5, .5, .5, 2, 4)]
    // Ten characters behind the tag cost .01 and the strict form.
    [InlineData(Whole + "0123456789", .49, .5, 0, .5, 2, 3.49)]
    // On one line no tag stands on a line of its own; the soft form is there.
    [InlineData("<reasoning>9 and 9</reasoning> <answer>18</answer>", 0, .5, 0, .5, 2, 3)]
    // Before the blocks stands something: neither form, all four tags.
    [InlineData("Well.\n" + Whole, .5, 0, 0, .5, 2, 3)]
    [InlineData("<reasoning>\nx\n</reasoning>\n<answer>\n19\n</answer>\n", .5, .5, .5, .5, 0, 2)]
    [InlineData("<reasoning>\nx\n</reasoning>\n<answer>\neighteen\n</answer>\n", .5, .5, .5, 0, 0, 1.5)]
    // A decimal point is no digit, and the number is right.
    [InlineData("<reasoning>\nx\n</reasoning>\n<answer>\n18.0\n</answer>\n", .5, .5, .5, 0, 2, 3.5)]
    [InlineData("<answer>\n18\n</answer>\n", .125, 0, 0, .5, 2, 2.625)]
    [InlineData("\n<answer>\n18\n</answer>\n", .25, 0, 0, .5, 2, 2.75)]
    // Twice is not once: nothing for the answer's tags, and nothing off.
    [InlineData("<reasoning>\nx\n</reasoning>\n<answer>\n1\n</answer>\n<answer>\n18\n</answer>\n", .25, .5, .5, .5, 2, 3.75)]
    [InlineData("<reasoning>\nx", .125, 0, 0, 0, 0, .125)]
    [InlineData("18", 0, 0, 0, 0, 0, 0)]
    [InlineData("", 0, 0, 0, 0, 0, 0)]
    public async Task D1_and_spg_must_reward_gsm8k_by_tags_forms_and_the_number(string completion, double tags, double soft, double strict, double integer, double correct, double value)
    {
        foreach (var kind in (string[])["d1-gsm8k", "spg-gsm8k"])
        {
            foreach (var reference in (string[])["18", "9 + 9 = <<9+9=18>>18\n#### 18"])
                AssertScored(await Score(kind, reference, completion), value, ("correct", correct), ("integer", integer), ("soft-format", soft), ("strict-format", strict), ("tags", tags));
        }

        AssertScored(await Score("tags", "", completion), tags + soft + strict, ("soft-format", soft), ("strict-format", strict), ("tags", tags));
        AssertScored(await Score("integer-answer", "", completion), integer * 2, ("integer", integer * 2));
    }

    [Theory]
    [InlineData(@"<answer>\boxed{\frac12}</answer>", .5, 2, 2.5)]
    [InlineData(@"<answer>\boxed{0.25}</answer>", .5, 0, .5)]
    [InlineData("<answer>0.5</answer>", .375, 0, .375)]
    [InlineData(@"\boxed{0.5} <answer>0.5</answer>", .375, 2, 2.375)]
    [InlineData(@"It is \boxed{1/2}.", .25, 2, 2.25)]
    [InlineData("It is 1/2.", .125, 0, .125)]
    [InlineData("", .125, 0, .125)]
    public async Task D1_and_spg_must_reward_math_by_its_box(string completion, double boxed, double correct, double value)
    {
        foreach (var kind in (string[])["d1-math", "spg-math"])
            AssertScored(await Score(kind, @"\frac{1}{2}", completion), value, ("boxed-tags", boxed), ("correct", correct));
    }

    [Theory]
    [InlineData("<reasoning>3*7</reasoning><answer>3*7*2</answer>", 1, 1, 1, 1)]
    [InlineData("<answer>(3 * 7) * 2 = 42</answer>", 1, 1, 1, 1)]
    [InlineData("<answer>3*7+2</answer>", .1, 1, 1, 0)]
    [InlineData("<answer>6*7</answer>", 0, 1, 0, 0)]
    [InlineData("<answer>3*7*</answer>", 0, 0, 0, 0)]
    [InlineData("3*7*2", 0, 0, 0, 0)]
    public async Task D1_and_spg_must_reward_countdown_in_tags(string completion, double value, double format, double numbers, double answer)
    {
        foreach (var kind in (string[])["countdown-tags", "d1-countdown", "spg-countdown"])
            AssertScored(await Score(kind, "3,7,2=42", completion), value, ("answer", answer), ("format", format), ("numbers", numbers));
    }

    /// <summary>The puzzle has 8 blanks: places 3, 6, 7, 8, 9, 12, 13 and 16.</summary>
    [Theory]
    [InlineData("<answer>\n3142\n2431\n4213\n1324\n</answer>", 1, 1, 1)]
    [InlineData("<answer>3112243142131324</answer>", 7 / 8.0, 1, 0)]
    [InlineData("<answer>3142243</answer>", 3 / 8.0, 0, 0)]
    [InlineData("3142243142131324", 0, 0, 0)]
    public async Task D1_and_spg_must_reward_sudoku_in_tags(string completion, double cells, double format, double answer)
    {
        foreach (var kind in (string[])["sudoku-tags", "d1-sudoku", "spg-sudoku"])
        {
            AssertScored(await Score(kind, "3142243142131324", completion, "3102200002100320"), cells, ("answer", answer), ("cells", cells), ("format", format));
            AssertScored(await Score(kind, "3102200002100320,3142243142131324", completion, "Solve this sudoku."), cells, ("answer", answer), ("cells", cells), ("format", format));
        }

        var exact = VerifierRegistry.Create("sudoku-tags", ReferenceKinds.Of("sudoku-tags", ("exact", "on")));
        AssertScored(await exact.ScoreAsync(Request("3142243142131324", completion, "3102200002100320"), CancellationToken.None), answer, ("answer", answer), ("cells", cells), ("format", format));
    }

    [Theory]
    [InlineData("<think>9+9</think><answer>18</answer>", .5, .5, 3, 4)]
    [InlineData(@"<think>9+9</think><answer>\boxed{18.0}</answer>", .5, .5, 3, 4)]
    [InlineData("<think>9+9</think><answer>19</answer>", .5, .5, 0, 1)]
    [InlineData("<answer>18</answer>", 0, .5, 3, 3.5)]
    [InlineData("<think> </think><answer></answer>", 0, 0, 0, 0)]
    [InlineData("18", 0, 0, 0, 0)]
    public async Task Agrpo_must_reward_thinking_answering_and_being_right(string completion, double think, double answer, double correct, double value) =>
        AssertScored(await Score("agrpo", "#### 18", completion), value, ("answer-tags", answer), ("correct", correct), ("think-tags", think));

    [Theory]
    [InlineData("espo-math", @"\boxed{18}", 1, 1, 1)]
    [InlineData("espo-math", @"\boxed{19}", 0, 1, 0)]
    [InlineData("espo-math", "18", 0, 0, 0)]
    [InlineData("tracerl", @"\boxed{18}", 1, 1, 1)]
    [InlineData("tracerl", @"\boxed{19}", 0, 1, 0)]
    [InlineData("lladou", "The answer is 18.", 1, 1, 1)]
    [InlineData("lladou", "#### 18", 1, 1, 1)]
    [InlineData("lladou", @"\boxed{18} or 19", 1, 1, 1)]
    [InlineData("lladou", "19", -1, 1, 0)]
    [InlineData("lladou", "no number", -1, 0, 0)]
    [InlineData("justgrpo", "<answer>18</answer>", 1, 1, 1)]
    [InlineData("justgrpo", "17 + 2 = 19", -1, 1, 0)]
    public async Task Single_rewards_must_be_the_two_published_values(string kind, string completion, double value, double format, double answer) =>
        AssertScored(await Score(kind, "18", completion), value, ("answer", answer), ("format", format));

    [Fact]
    public async Task Weights_must_be_what_the_keys_say()
    {
        var verifier = VerifierRegistry.Create("d1-gsm8k", ReferenceKinds.Of("d1-gsm8k", ("tags", "1"), ("soft-format", "0"), ("strict-format", "-1"), ("integer", "0.25"), ("correct", "10")));
        AssertScored(await verifier.ScoreAsync(Request("18", Whole, ""), CancellationToken.None), 10.25, ("correct", 10), ("integer", .25), ("soft-format", 0), ("strict-format", -1), ("tags", 1));
    }

    [Theory]
    [InlineData("correct", "1000", "correct = 1000: must be -100 to 100, what it adds to the reward")]
    [InlineData("correct", "two", "correct = two: must be -100 to 100, what it adds to the reward")]
    public void Weight_out_of_range_must_be_refused(string key, string value, string message) =>
        Assert.Equal(message, Assert.Throws<RewardSettingException>(() => VerifierRegistry.Create("agrpo", ReferenceKinds.Of("agrpo", (key, value)))).Message);

    [Theory]
    [InlineData("d1-gsm8k")]
    [InlineData("d1-math")]
    [InlineData("agrpo")]
    [InlineData("lladou")]
    [InlineData("d1-countdown")]
    [InlineData("d1-sudoku")]
    public async Task Reference_that_says_nothing_must_not_become_a_number(string kind) =>
        Assert.Equal(new RewardOutcome.InfraFault("unreadable-reference"), await Score(kind, "", Whole));

    private static ValueTask<RewardOutcome> Score(string kind, string reference, string completion, string prompt = "") =>
        VerifierRegistry.Create(kind, ReferenceKinds.Of(kind)).ScoreAsync(Request(reference, completion, prompt), CancellationToken.None);

    private static RewardRequest Request(string reference, string completion, string prompt) => new(new RolloutId(0, 0), new Prompt(0, [], prompt, reference), completion);

    internal static void AssertScored(RewardOutcome outcome, double value, params (string Part, double Value)[] parts)
    {
        var scored = Assert.IsType<RewardOutcome.Scored>(outcome);
        Assert.Equal(value, scored.Value, 12);
        // What evaluations go by stands beside the parts of a sum.
        if (parts.FirstOrDefault(part => part.Part is "correct" or "tests") is { Part: { } } right && parts.All(part => part.Part != "answer"))
            parts = [("answer", right.Part == "tests" ? right.Value == 2 ? 1 : 0 : right.Value > 0 ? 1 : 0), .. parts];
        Assert.Equal(parts.Select(part => part.Part), scored.Breakdown.Keys);
        Assert.All(parts, part => Assert.Equal(part.Value, scored.Breakdown[part.Part], 12));
    }
}
