using CsCheck;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Tasks;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Tests.Verifiers;

public class VerifierTests
{
    private static readonly string[] FromZeroToOne = ["sort", "sudoku", "sudoku-exact", "countdown", "multiply", "order", "serial", "gsm8k", "math", "countdown-tags", "sudoku-tags", "d1-countdown", "d1-sudoku", "spg-countdown", "spg-sudoku"];

    /// <summary>The kinds that are functions of texts; the others have tests of their own.</summary>
    private static readonly IReadOnlyList<string> Texts = [.. VerifierRegistry.Kinds.Except(["judge", "assembly", "code", "diffucoder-code", "espo-code"])];

    private const string Puzzle = "3102200002100320", Solution = "3142243142131324";

    [Theory]
    [InlineData("11345", 1, 1, 1)]
    [InlineData("54311", 0, 1, 0)]
    [InlineData("11344", 0, 1, 0)]
    [InlineData("1134", 0, 0, 0)]
    [InlineData("113455", 0, 0, 0)]
    [InlineData("1134a", 0, 0, 0)]
    [InlineData("11345 ", 0, 0, 0)]
    [InlineData("", 0, 0, 0)]
    public async Task Sort_must_be_one_for_the_exact_digits(string completion, double value, double format, double answer) =>
        AssertScored(await Score("sort", "31415", "11345", completion), value, ("answer", answer), ("format", format));

    /// <summary>By hand: under a stands (digit under A) / 2, under b (3 * digit + 1) mod 10 / 2.</summary>
    [Theory]
    [InlineData("4363", 1, 1, 1)]
    [InlineData("4394", 1, 1, 1)]
    [InlineData("3352", 1, 1, 1)]
    [InlineData("4392", 0, 0, 1)]
    [InlineData("0394", 0, 0, 1)]
    [InlineData("4294", 0, 1, 0)]
    [InlineData("336", 0, 0, 0)]
    [InlineData("336x", 0, 0, 0)]
    [InlineData("", 0, 0, 0)]
    public async Task Order_must_be_one_where_all_digits_fit(string completion, double value, double groups, double copied) => AssertScored(
        await Score("order", "b3Aa", "b3Aa", completion), value, ("answer", value), ("copied", copied), ("format", completion.Length == 4 && completion.All(char.IsAsciiDigit) ? 1 : 0), ("groups", groups));

    [Theory]
    [InlineData("")]
    [InlineData("12")]
    [InlineData("aA1")]
    [InlineData("abAA1")]
    [InlineData("zyX")]
    [InlineData("cdA1")]
    public async Task Order_must_blame_nobody_for_signs_that_are_no_groups(string reference) =>
        Assert.IsType<RewardOutcome.InfraFault>(await Score("order", reference, reference, "1234"));

    [Theory]
    [InlineData("330", 1, 1)]
    [InlineData("120", 1, 1)]
    [InlineData("0", 1, 1)]
    [InlineData("331", 0, 1)]
    [InlineData("350", 0, 0)]
    [InlineData("33x", 0, 0)]
    [InlineData("", 0, 0)]
    public async Task Serial_must_be_one_where_the_ball_s_last_place_is_right(string completion, double value, double format) =>
        AssertScored(await Score("serial", "0cec", "0", completion), value, ("answer", value), ("format", format));

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("01")]
    public async Task Serial_must_blame_nobody_for_a_cup_that_is_not_there(string reference) =>
        Assert.IsType<RewardOutcome.InfraFault>(await Score("serial", "0cec", reference, "0"));

    /// <summary>The puzzle has 8 blanks: places 3, 6, 7, 8, 9, 12, 13 and 16.</summary>
    [Theory]
    [InlineData("3142243142131324", 1, 1, 1)]
    [InlineData("3142\n2431\n4213\n1324\n", 1, 1, 1)]
    [InlineData("3112243142131324", 7 / 8.0, 1, 0)]
    [InlineData("3102200002100320", 0, 0, 0)]
    [InlineData("4142243142131324", 1, 1, 0)]
    [InlineData("31422431421313249", 1, 0, 0)]
    [InlineData("3142243", 3 / 8.0, 0, 0)]
    [InlineData("2314413223411423", 2 / 8.0, 1, 0)]
    [InlineData("", 0, 0, 0)]
    public async Task Sudoku_must_be_the_fraction_of_blank_cells_that_are_right(string completion, double cells, double format, double answer)
    {
        (string, double)[] parts = [("answer", answer), ("cells", cells), ("format", format)];
        AssertScored(await Score("sudoku", Puzzle, Solution, completion), cells, parts);
        AssertScored(await Score("sudoku-exact", Puzzle, Solution, completion), answer, parts);
    }

    [Fact]
    public async Task Sudoku_must_accept_every_legal_grid_of_an_ambiguous_puzzle_as_an_answer()
    {
        // Rows 1 and 2 given; rows 3 and 4 can be exchanged, which puts all eight blanks elsewhere.
        const string puzzle = "1234341200000000", reference = "1234341221434321", other = "1234341243212143";
        (string, double)[] parts = [("answer", 1), ("cells", 0), ("format", 1)];
        AssertScored(await Score("sudoku", puzzle, reference, other), 0, parts);
        AssertScored(await Score("sudoku-exact", puzzle, reference, other), 1, parts);
    }

    [Fact]
    public async Task Sudoku_without_a_blank_must_ask_for_a_copy()
    {
        AssertScored(await Score("sudoku", Solution, Solution, Solution), 1, ("answer", 1), ("cells", 1), ("format", 1));
        AssertScored(await Score("sudoku", Solution, Solution, Puzzle), 0, ("answer", 0), ("cells", 0), ("format", 0));
    }

    [Theory]
    [InlineData("3*7*2", 1, 1, 1, 1)]
    [InlineData("2 * (7 * 3)", 1, 1, 1, 1)]
    [InlineData("7/(1/3)*2", 0, 1, 0, 0)]
    [InlineData("3*7+2", .1, 1, 1, 0)]
    [InlineData("3/(7-2)", .1, 1, 1, 0)]
    [InlineData("6*7", 0, 1, 0, 0)]
    [InlineData("3*7", 0, 1, 0, 0)]
    [InlineData("3*7*2*1", 0, 1, 0, 0)]
    [InlineData("3*7*2*2/2", 0, 1, 0, 0)]
    [InlineData("42", 0, 1, 0, 0)]
    [InlineData("37*2", 0, 1, 0, 0)]
    [InlineData("003*007*002", 1, 1, 1, 1)]
    [InlineData("-3*7*-2", 1, 1, 1, 1)]
    [InlineData("3*7*2=42", 0, 0, 0, 0)]
    [InlineData("3*7*", 0, 0, 0, 0)]
    [InlineData("", 0, 0, 0, 0)]
    public async Task Countdown_must_score_as_d1_does(string completion, double value, double format, double numbers, double answer) =>
        AssertScored(await Score("countdown", "003,007,002=042", "3,7,2=42", completion), value, ("answer", answer), ("format", format), ("numbers", numbers));

    [Fact]
    public async Task Countdown_must_be_exact_where_floating_point_is_not()
    {
        // 3 * (1/3) is 1 in fractions; 49 * (1/49) is not in doubles.
        AssertScored(await Score("countdown", "", "49,1,49=1", "49*(1/49)"), 1, ("answer", 1), ("format", 1), ("numbers", 1));
        AssertScored(await Score("countdown", "", "1,5,5=1", "1/(5-5)"), .1, ("answer", 0), ("format", 1), ("numbers", 1));
    }

    [Fact]
    public async Task Countdown_must_call_an_unreadable_completion_the_model_s_fault()
    {
        Assert.Equal(new RewardOutcome.ModelFault("expression-too-long"), await Score("countdown", "", "3,7,2=42", new string('1', 257)));
        Assert.Equal(new RewardOutcome.ModelFault("expression-too-deep"), await Score("countdown", "", "3,7,2=42", new string('(', 100)));
    }

    [Theory]
    [InlineData("0048;0360;0408.", 1, 1)]
    [InlineData("0408.", 1, 1)]
    [InlineData("0000;9999;0408.", 1, 1)]
    [InlineData("48;360;0408.", 0, 1)]
    [InlineData("4x8;;0408.", 0, 1)]
    [InlineData("0048;0360;0407.", 1, 0)]
    [InlineData("0048;0360;408.", 0, 0)]
    [InlineData("0048;0360;00408.", 0, 0)]
    [InlineData("0048;0360;0408", 0, 0)]
    [InlineData("0048;0360;0408;", 0, 0)]
    [InlineData("0048;0360;0408..", 0, 0)]
    [InlineData("0048.0360.0408.", 0, 0)]
    [InlineData("0048;0360;04٠8.", 0, 0)]
    [InlineData("0408.;", 0, 0)]
    [InlineData(".", 0, 0)]
    [InlineData(";", 0, 0)]
    [InlineData("", 0, 0)]
    public async Task Multiply_must_be_one_for_the_right_answer_whatever_its_thoughts_are(string completion, double format, double answer) =>
        AssertScored(await Score("multiply", "12*34=", "0408", completion), answer, ("answer", answer), ("format", format));

    [Theory]
    [InlineData("multiply", "12*34=", "")]
    [InlineData("multiply", "12*34=", "0408.")]
    [InlineData("sort", "31415", "")]
    [InlineData("sort", "31415", "31415")]
    [InlineData("sort", "31415", "1134x")]
    [InlineData("sudoku", "310220000210032", Solution)]
    [InlineData("sudoku", Puzzle, "3142243142131342")]
    [InlineData("sudoku-exact", "4102200002100320", Solution)]
    [InlineData("countdown", "", "3,7,2")]
    [InlineData("countdown", "", "3,7,x=42")]
    [InlineData("code", "", "assert f(1) == 2")]
    public async Task A_reference_that_cannot_be_judged_against_must_not_become_a_number(string kind, string prompt, string reference) =>
        Assert.Equal(new RewardOutcome.InfraFault("unreadable-reference"), await Score(kind, prompt, reference, reference));

    [Fact]
    public void No_verifier_may_throw_on_any_text() =>
        Gen.Select(
                Gen.Int[0, Texts.Count - 1].Select(i => Texts[i]),
                Gen.OneOf(Gen.String, Gen.String["0123456789+-*/() "], Gen.String["01234"], Gen.String["0123456789;."], Gen.Const("11345"), Gen.Const("3*7*2")),
                Gen.OneOf(Gen.String, Gen.Const("11345"), Gen.Const("0408"), Gen.Const(Solution), Gen.Const("3,7,2=42"), Gen.Const("0,0,0=0")),
                Gen.OneOf(Gen.String, Gen.Const(Puzzle)))
            .Sample((kind, completion, reference, prompt) =>
            {
                var scored = Create(kind).ScoreAsync(Request(prompt, reference, completion), CancellationToken.None);
                Assert.True(scored.IsCompletedSuccessfully);
                if (scored.Result is not RewardOutcome.Scored(var value, var breakdown)) return;
                Assert.True(double.IsFinite(value));
                Assert.NotEmpty(breakdown);
                if (!FromZeroToOne.Contains(kind)) return;
                Assert.InRange(value, 0, 1);
                Assert.All(breakdown.Values, part => Assert.InRange(part, 0, 1));
                Assert.True(breakdown.ContainsKey("format") && breakdown.ContainsKey("answer"));
            }, iter: 20_000);

    /// <summary>The deadline is far above what any of them takes, and fails where one does not end.</summary>
    [Fact]
    public async Task Every_verifier_must_score_a_long_hostile_completion()
    {
        string[] pieces = ["{", "(", @"\boxed{", "<answer>", "<reasoning>\n", "\n</answer>", "9", "#### ", "a", "\n"];
        foreach (var kind in Texts)
        {
            foreach (var piece in pieces)
            {
                var text = string.Concat(Enumerable.Repeat(piece, 100_000 / piece.Length));
                foreach (var completion in (string[])[text, $"<answer>{text}</answer>", $@"\boxed{{{text}}}"])
                {
                    foreach (var reference in (string[])["18", "3,7,2=42", Solution])
                    {
                        var outcome = await Task.Run(async () => await Create(kind).ScoreAsync(Request(Puzzle, reference, completion), CancellationToken.None)).WaitAsync(TimeSpan.FromMinutes(1));
                        if (outcome is RewardOutcome.Scored scored) Assert.True(double.IsFinite(scored.Value));
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData("sort5", "sort")]
    [InlineData("sudoku", "sudoku")]
    [InlineData("sudoku", "sudoku-exact")]
    [InlineData("countdown", "countdown")]
    [InlineData("multiply", "multiply")]
    public async Task A_task_s_own_answers_must_score_one(string name, string kind)
    {
        var task = TaskRegistry.Create(name, SettingsOf(name), 4);
        for (var i = 0; i < 300; i++)
        {
            var item = i % 2 == 0 ? task.Train(i) : task.HeldOut(i / 2);
            var outcome = Assert.IsType<RewardOutcome.Scored>(await Score(kind, item.Prompt, item.Reference, item.Answer));
            Assert.Equal(1, outcome.Value);
            Assert.All(outcome.Breakdown.Values, part => Assert.Equal(1, part));
        }
    }

    [Fact]
    public async Task Scoring_must_stop_when_it_is_cancelled() =>
        await Assert.ThrowsAsync<TaskCanceledException>(async () =>
            await Create("sort").ScoreAsync(Request("31415", "11345", "11345"), new CancellationToken(canceled: true)));

    [Fact]
    public void Create_must_suggest_a_kind_for_an_unknown_one()
    {
        var error = Assert.Throws<RewardSettingException>(() => VerifierRegistry.Create("count-down", Keys()));
        Assert.StartsWith("unknown reward kind 'count-down'; did you mean 'countdown'? Known: sort, sudoku, sudoku-exact, countdown, multiply, order, serial", error.Message);
    }

    [Theory]
    [InlineData("54311", .25)]
    [InlineData("31415", .25)]
    [InlineData("11345", 1)]
    [InlineData("11344", 0)]
    [InlineData("1134", 0)]
    [InlineData("113x4", 0)]
    public async Task Sort_must_pay_for_the_right_digits_where_its_key_says_so(string completion, double value)
    {
        var verifier = VerifierRegistry.Create("sort", Keys(("right-digits", "0.25")));
        Assert.Equal(value, Assert.IsType<RewardOutcome.Scored>(await verifier.ScoreAsync(Request("31415", "11345", completion), CancellationToken.None)).Value);
    }

    [Fact]
    public async Task Countdown_must_pay_for_the_right_numbers_what_its_key_says()
    {
        var verifier = VerifierRegistry.Create("countdown", Keys(("right-numbers", "0")));
        Assert.Equal(0, Assert.IsType<RewardOutcome.Scored>(await verifier.ScoreAsync(Request("", "3,7,2=42", "3*7+2"), CancellationToken.None)).Value);
        Assert.Equal(1, Assert.IsType<RewardOutcome.Scored>(await verifier.ScoreAsync(Request("", "3,7,2=42", "3*7*2"), CancellationToken.None)).Value);
    }

    [Theory]
    [InlineData("right-numbers", "1.5", "right-numbers = 1.5: must be 0 to 1, a part of the full reward")]
    [InlineData("right-numbers", "NaN", "right-numbers = NaN: must be 0 to 1, a part of the full reward")]
    [InlineData("right-number", "1", "right-numbers is missing: reward kind countdown needs it")]
    public void Create_must_name_key_value_and_bound_of_a_wrong_setting(string key, string value, string message)
    {
        var error = Assert.Throws<RewardSettingException>(() => VerifierRegistry.Create("countdown", Keys((key, value))));
        Assert.Equal(("right-numbers", message), (error.Key, error.Message));
    }

    [Fact]
    public void Create_must_refuse_a_key_that_the_kind_lacks() =>
        Assert.Equal("right-digits is no key of reward kind sudoku", Assert.Throws<RewardSettingException>(() => VerifierRegistry.Create("sudoku", Keys(("right-digits", "1")))).Message);

    /// <summary>A verifier with the defaults of hocon/reference.conf.</summary>
    private static IReward Create(string kind) => VerifierRegistry.Create(kind, kind == "regex" ? ReferenceKinds.Of(kind, ("pattern", "1+")) : ReferenceKinds.Of(kind));

    private static Dictionary<string, string> Keys(params (string Key, string Value)[] keys) => keys.ToDictionary(pair => pair.Key, pair => pair.Value);

    private static GeneratedTaskSettings SettingsOf(string name) => name switch
    {
        "sort5" => new SortSettings(5, .5, 200),
        "sudoku" => new SudokuSettings(4, 9, 200),
        "multiply" => new MultiplySettings(2, 2, true, 200),
        _ => new CountdownSettings(20, 200, "+-*/", 200),
    };

    private static ValueTask<RewardOutcome> Score(string kind, string prompt, string reference, string completion) =>
        Create(kind).ScoreAsync(Request(prompt, reference, completion), CancellationToken.None);

    private static RewardRequest Request(string prompt, string reference, string completion) =>
        new(new RolloutId(0, 0), new Prompt(0, [], prompt, reference), completion);

    private static void AssertScored(RewardOutcome outcome, double value, params (string Part, double Value)[] parts)
    {
        var scored = Assert.IsType<RewardOutcome.Scored>(outcome);
        Assert.Equal(value, scored.Value, 12);
        Assert.Equal(parts, scored.Breakdown.Select(part => (part.Key, part.Value)));
    }
}
