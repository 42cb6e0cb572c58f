using System.IO.Compression;
using System.Text;
using Lateral.Rewards.Data;
using Lateral.Rewards.Suites;
using Lateral.Tests;

namespace Lateral.Rewards.Tests.Suites;

public sealed class SuiteTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lateral-suites-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("18", "So it is 18.\n#### 18", true, true)]
    [InlineData("18", "#### 18.0", true, true)]
    [InlineData("18", "The answer is 18", true, false)]
    [InlineData("18", "18 eggs, then 19", false, false)]
    [InlineData("18", "#### 18\nand 3 more", false, true)]
    [InlineData("1,000", "#### $1000", true, true)]
    [InlineData("-3", "#### -3", true, true)]
    [InlineData("18", "no number at all", false, false)]
    [InlineData("18", "", false, false)]
    public async Task Gsm8k_must_judge_the_last_number_and_the_marked_one(string reference, string completion, bool flexible, bool strict)
    {
        var suite = Suite.Of("gsm8k");
        Assert.Equal(["flexible", "strict"], suite.Rules.Select(rule => rule.Name));
        Assert.Equal((bool[])[flexible, strict], await Verdicts(suite, new("1", "", "", reference), completion));
    }

    [Theory]
    [InlineData(@"\frac{1}{2}", @"so \boxed{\dfrac12}", true)]
    [InlineData(@"\frac{1}{2}", @"\boxed{1/2}", true)]
    [InlineData(@"\frac{1}{2}", @"\boxed{0.5}", true)]
    [InlineData(@"\frac{1}{3}", @"\boxed{0.33}", false)]
    [InlineData("8_9", @"\boxed{ 8_9 }.", true)]
    [InlineData("17", @"\boxed{3}, no: \boxed{17.0}", true)]
    [InlineData("17", @"\boxed{17}, no: \boxed{3}", false)]
    [InlineData("1000", @"\boxed{1,000}", true)]
    [InlineData(@"(1,2)", @"\boxed{\left( 1, 2 \right)}", true)]
    [InlineData("5", @"\boxed{x = 5}", true)]
    [InlineData("90", @"\boxed{90^\circ}", true)]
    [InlineData("even", @"\boxed{\text{even}}", true)]
    [InlineData("17", @"it is 17", false)]
    [InlineData("17", @"\boxed{17", false)]
    public async Task Math_must_judge_the_last_box_by_its_normal_form(string reference, string completion, bool right) =>
        Assert.Equal((bool[])[right], await Verdicts(Suite.Of("math"), new("1", "", "", reference), completion));

    [Fact]
    public void Math_must_take_an_answer_out_of_a_published_solution()
    {
        var item = Assert.Single(Suite.Of("math").Read(Write("a.jsonl", """{"problem": "1+1?", "solution": "Adding, \\boxed{2}."}""")));
        Assert.Equal("2", item.Reference);
        Assert.Contains("1+1?", item.Prompt, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<answer>2143432114323214</answer>", true)]
    [InlineData("I think <answer>1111</answer>, no: <answer>\n2143 4321 1432 3214\n</answer>", true)]
    [InlineData("2143432114323214", false)]
    [InlineData("<answer>2143432114323241</answer>", false)]
    public async Task Sudoku_must_judge_the_last_tagged_grid(string completion, bool right)
    {
        var suite = Suite.Of("sudoku");
        var item = Assert.Single(suite.Read(Write("a.csv", "Puzzle,Solution\n0140432014020000,2143432114323214")));
        Assert.Equal((bool[])[right], await Verdicts(suite, item, completion));
    }

    [Theory]
    [InlineData("<answer>3*7*2</answer>", true)]
    [InlineData("<answer>(3 * 7) * 2 = 42</answer>", true)]
    [InlineData("<answer>6*7</answer>", false)]
    [InlineData("<answer>3*7+2</answer>", false)]
    public async Task Countdown_must_judge_the_last_tagged_expression(string completion, bool right)
    {
        var suite = Suite.Of("countdown");
        var item = Assert.Single(suite.Read(Write("a.jsonl", """{"input": "3,7,2", "output": "42"}""")));
        Assert.Equal((bool[])[right], await Verdicts(suite, item, completion));
        Assert.Contains("3, 7, 2", item.Prompt, StringComparison.Ordinal);
    }

    [Fact]
    public void Code_must_be_written_as_the_checkers_of_its_suites_read_it()
    {
        var suite = Suite.Of("humaneval");
        var path = Path.Combine(_folder.FullName, "a.jsonl.gz");
        using (var packed = new GZipStream(File.Create(path), CompressionLevel.Fastest)) packed.Write(Encoding.UTF8.GetBytes("""{"task_id": "HumanEval/7", "prompt": "def f(x):\n", "entry_point": "f", "test": "def check(candidate):\n    assert candidate(1) == 1"}"""));
        var item = Assert.Single(suite.Read(path));
        Assert.Contains("def f(x):", item.Prompt, StringComparison.Ordinal);
        var submission = suite.Submission(item, "Here:\n```python\ndef f(x):\n    return x\n```\nIt returns x.")!;
        Assert.Equal(("HumanEval/7", "def f(x):\n    return x\n"), (submission["task_id"], submission["completion"]));
        var mbpp = Assert.Single(Suite.Of("mbpp").Read(Write("b.jsonl", """{"task_id": 11, "text": "Double it.", "test_list": ["assert f(1) == 2"]}""")));
        Assert.Equal("11", mbpp.Id);
        Assert.Contains("assert f(1) == 2", mbpp.Prompt, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gsm8k", """{"question": "Q"}""", ":1:1 has no 'answer'")]
    [InlineData("math", """{"problem": "Q"}""", "has no 'ground_truth_answer' or 'answer' or 'solution'")]
    [InlineData("humaneval", "{\n", "is not valid JSON")]
    [InlineData("gsm8k", "\n\n", "has no rows")]
    public void Wrong_files_must_be_told_by_their_line(string suite, string text, string message) =>
        Assert.Contains(message, Assert.Throws<DataException>(() => Suite.Of(suite).Read(Write("a.jsonl", text))).Message, StringComparison.Ordinal);

    [Fact]
    public void File_that_is_no_packed_one_must_be_told_as_that()
    {
        var path = Path.Combine(_folder.FullName, "a.jsonl.gz");
        File.WriteAllText(path, "{}");
        Assert.Contains("cannot be read", Assert.Throws<DataException>(() => Suite.Of("gsm8k").Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_suite_must_be_told_with_those_there_are() =>
        Assert.Contains("did you mean 'gsm8k'?", Assert.Throws<ArgumentException>(() => Suite.Of("gsm8")).Message, StringComparison.Ordinal);

    [SharedFact]
    public async Task Published_files_must_be_read_whole_and_their_own_answers_be_right()
    {
        var gsm8k = Suite.Of("gsm8k");
        var problems = gsm8k.Read(SharedFolder.Path("data", "gsm8k", "test.jsonl"));
        Assert.Equal(1319, problems.Length);
        foreach (var item in problems)
        {
            Assert.Equal((bool[])[true, true], await Verdicts(gsm8k, item, $"It is so.\n#### {item.Reference}"));
            Assert.Equal((bool[])[false, false], await Verdicts(gsm8k, item, $"#### {item.Reference}1"));
        }

        Assert.Equal(164, Suite.Of("humaneval").Read(SharedFolder.Path("data", "humaneval", "HumanEval.jsonl.gz")).Length);
        Assert.Equal(500, Suite.Of("sudoku").Read(SharedFolder.Path("data", "d1", "4x4_test_sudoku.csv")).Length);
        Assert.Equal(256, Suite.Of("countdown").Read(SharedFolder.Path("data", "d1", "countdown_cd3_test.jsonl")).Length);
    }

    private static async Task<bool[]> Verdicts(Suite suite, SuiteItem item, string completion)
    {
        await using var judge = new SuiteJudge(suite, kind => ReferenceKinds.Of(kind));
        return [.. await judge.JudgeAsync(item, completion, CancellationToken.None)];
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
