using System.IO.Compression;
using System.Text;
using Lateral.Core.Prompts;
using Lateral.Rewards.Code;
using Lateral.Rewards.Data;
using Lateral.Rewards.Tasks;
using Lateral.Tests;
using Parquet.Serialization;

namespace Lateral.Rewards.Tests.Data;

public sealed class DataSetTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lateral-rows-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_same_rows_must_be_read_from_every_kind_of_file()
    {
        TaskItem[] expected = [new("Say \"a, b\".", "a,\nb", "a") { Told = "Say \"a, b\"." }, new("Zwölf?", "12", "12") { Told = "Zwölf?" }];
        const string Lines = """
            {"prompt": "Say \"a, b\".", "answer": "a,\nb", "reference": "a", "more": [1, {"x": null}]}

            {"prompt": "Zwölf?", "answer": "12", "reference": null}
            """;
        const string Csv = "prompt,answer,reference\r\n\"Say \"\"a, b\"\".\",\"a,\nb\",a\r\n\r\nZwölf?,12,12\r\n";
        var parquet = Path("a.parquet");
        await ParquetSerializer.SerializeAsync([new ParquetRow { prompt = "Say \"a, b\".", answer = "a,\nb", reference = "a" }, new ParquetRow { prompt = "Zwölf?", answer = "12" }], parquet);

        Assert.Equal(expected, Rows(Write("a.jsonl", Lines)));
        Assert.Equal(expected, Rows(Write("a.csv", "\uFEFF" + Csv)));
        Assert.Equal(expected, Rows(Pack("b.jsonl.gz", Lines)));
        Assert.Equal(expected, Rows(Pack("b.csv.gz", Csv)));
        Assert.Equal(expected, Rows(parquet));
    }

    [Fact]
    public async Task A_parquet_file_of_verl_must_give_conversations_row_group_by_row_group()
    {
        var path = Path("verl.parquet");
        var rows = Enumerable.Range(0, 7).Select(i => new VerlRow
        {
            data_source = "sums",
            prompt = [new() { role = "system", content = "Be brief." }, new() { role = "user", content = $"{i} + 1?" }],
            reward_model = new() { style = "rule", ground_truth = $"{i + 1}" },
            extra_info = i == 3 ? null : new() { answer = $"It is {i + 1}." },
        }).ToList();
        await ParquetSerializer.SerializeAsync(rows[..3], path);
        await ParquetSerializer.SerializeAsync(rows[3..], path, new() { Append = true });

        var items = Rows(path, format: "verl");
        Assert.Equal(7, items.Count);
        Assert.Equal([new Turn("system", "Be brief."), new Turn("user", "4 + 1?")], items[4].Turns.ToArray());
        Assert.Equal(("Be brief.\n\n4 + 1?", "It is 5.", "5"), (items[4].Prompt, items[4].Answer, items[4].Reference));
        Assert.Equal(("", "4"), (items[3].Answer, items[3].Reference));
    }

    [Fact]
    public void Columns_must_be_found_where_the_configuration_says()
    {
        var path = Write("a.jsonl", """{"q": {"text": "Two?"}, "a.b": "two", "truth": 2}""");
        var item = Assert.Single(Rows(path, columns: new DataColumns("q.text", "a.b", "truth")));
        Assert.Equal(("Two?", "two", "2"), (item.Prompt, item.Answer, item.Reference));
    }

    [Theory]
    [InlineData("a.jsonl", "gsm8k", "{\"question\": \"1?\", \"answer\": \"#### 1\"}\n{\"question\": \"2?\", \"answer\": 2}", ":2:20 'answer' is a JSON Number - it is a string - write {")]
    [InlineData("a.jsonl", "gsm8k", "{\"question\": \"1?\", \"answer\": \"one\"}", ":1:20 'answer' does not end with #### and a number - that number is what answers are compared with - write {")]
    [InlineData("a.jsonl", "gsm8k", "{\"question\": \"1?\", ", ":1:20 is not valid JSON - a row is one JSON object - write {")]
    [InlineData("a.jsonl", "gsm8k", "{\"problem\": \"1?\"}", ":1:1 has no 'question' - its fields are {problem} - write {")]
    [InlineData("a.jsonl", "rows", "{\"prompt\": \"  \", \"answer\": \"x\"}", ":1:1 the prompt is empty - there is nothing to answer - ")]
    [InlineData("a.jsonl", "rows", "{\"prompt\": \"x\"}", ":1:1 has no 'reference' or 'answer' - its fields are {prompt} - write {")]
    [InlineData("a.jsonl", "rows", "{\"prompt\": [{\"role\": \"user\"}], \"answer\": \"x\"}", ":1:2 a message of 'prompt' has no content - messages are {role, content} - write {")]
    [InlineData("a.jsonl", "rows", "{\"answer\": \"x\", \"prompt\": [{\"role\": \"assistant\", \"content\": \"x\"}]}", ":1:17 the last message of 'prompt' is the assistant's - ")]
    [InlineData("a.jsonl", "mbpp", "{\"text\": \"f\", \"test_list\": []}", ":1:15 has no 'test_list' with a test in it - ")]
    [InlineData("a.jsonl", "countdown", "{\"input\": \"1,1,1\", \"output\": \"7\"}", ":1:20 no expression of 1,1,1 has the value 7 - ")]
    [InlineData("a.jsonl", "countdown", "{\"input\": \"1,1,1,1,1,1\", \"output\": \"6\"}", ":1:2 'input' has 6 numbers - 2 to 5 can be searched for a solution - ")]
    [InlineData("a.csv", "sudoku", "Puzzle,Solution\n3102200002100320,3142243142131342", ":2:18 the solution is not a legal grid - ")]
    [InlineData("a.csv", "sudoku", "Puzzle,Solution\n\n310220000210032,3142243142131324", ":3:1 the puzzle is '310220000210032' - ")]
    [InlineData("a.csv", "rows", "prompt,answer\nx,y,z", ":2:1 has 3 columns - the header has 2: prompt,answer - ")]
    [InlineData("a.csv", "rows", "prompt,prompt\nx,y", ":1:1 has the column 'prompt' twice - ")]
    [InlineData("a.txt", "rows", "x", " is a file of kind '.txt' - rows are read from .jsonl, .csv and .parquet, the first two also as .gz - ")]
    [InlineData("a.parquet", "rows", "no parquet", " cannot be read - ")]
    [InlineData("a.jsonl.gz", "rows", "not packed", " cannot be read - ")]
    [InlineData("a.jsonl", "rows", "", " leaves nothing to train on - 0 rows: ")]
    public void A_bad_row_must_be_told_with_file_line_and_column(string name, string format, string content, string message)
    {
        var path = Write(name, content);
        var error = Assert.Throws<DataException>(() => Read(Settings(path, format)));
        Assert.StartsWith(path + message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_must_be_told() =>
        Assert.StartsWith(Path("gone.jsonl") + " does not exist - looked from ", Assert.Throws<DataException>(() => Read(Settings(Path("gone.jsonl"), "rows"))).Message, StringComparison.Ordinal);

    /// <summary>1,000 rows of which 4 cannot be read.</summary>
    [Fact]
    public void Bad_rows_must_be_skipped_and_counted_only_where_that_is_asked_for_and_only_so_many()
    {
        var path = Write("a.jsonl", string.Concat(Enumerable.Range(0, 1000).Select(i => i % 250 == 17 ? "{\n" : $$"""{"prompt": "{{i}}", "answer": "a"}{{"\n"}}""")));
        using var set = Read(Settings(path, "rows") with { MaxBadRows = 0.004 });
        Assert.Equal((1000, 4), (set.Counts.Rows, set.Counts.Bad));
        Assert.Equal(996, set.Counts.Train + set.Counts.HeldOut);

        var error = Assert.Throws<DataException>(() => Read(Settings(path, "rows") with { MaxBadRows = 0.0039 }));
        Assert.StartsWith($"{path} has 4 bad rows of 1,000 (its evaluation file included) - data.max-bad-rows = 0.0039 allows 3, and the first is {path}:18:2 is not valid JSON", error.Message, StringComparison.Ordinal);
        Assert.StartsWith($"{path}:18:2 is not valid JSON", Assert.Throws<DataException>(() => Read(Settings(path, "rows"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prompts_outside_the_limits_must_be_left_out_and_counted()
    {
        var path = Write("a.jsonl", string.Concat(Enumerable.Range(1, 40).Select(i => $$"""{"prompt": "{{new string('x', i)}}", "answer": "{{new string('y', i)}}"}{{"\n"}}""")));
        using var set = Read(Settings(path, "rows") with { MinPromptTokens = 5, MaxPromptTokens = 30 });
        var counts = set.Counts;
        Assert.Equal((40, 4, 10, 26), (counts.Rows, counts.TooShort, counts.TooLong, counts.Train + counts.HeldOut));
        var kept = Enumerable.Range(0, counts.Train).Select(set.Train).ToArray();
        Assert.All(kept, item => Assert.InRange(item.Prompt.Length, 5, 30));
        // The room is 20 tokens.
        Assert.Equal(kept.Count(item => item.Answer.Length <= 20), counts.Answers);
        Assert.All(Enumerable.Range(0, counts.Answers).Select(set.Answered), item => Assert.InRange(item.Answer.Length, 5, 20));
    }

    [Fact]
    public void A_prompt_must_never_be_on_both_sides()
    {
        // Every prompt three times.
        var path = Write("a.jsonl", string.Concat(Enumerable.Range(0, 3000).Select(i => $$"""{"prompt": "{{i % 1000}}", "answer": "{{i}}"}{{"\n"}}""")));
        using var set = Read(Settings(path, "rows") with { HeldOut = 0.2 });
        var heldOut = Enumerable.Range(0, set.Counts.HeldOut).Select(i => set.HeldOut(i).Prompt).ToArray();
        var train = Enumerable.Range(0, set.Counts.Train).Select(i => set.Train(i).Prompt).ToArray();
        Assert.Empty(heldOut.Intersect(train));
        Assert.Equal(3000, heldOut.Length + train.Length);
        // 200 prompts are expected, with a standard deviation of 12.6.
        Assert.InRange(heldOut.Distinct().Count(), 150, 250);
        Assert.All(heldOut.CountBy(prompt => prompt), pair => Assert.Equal(3, pair.Value));

        using var other = DataSet.Read(Settings(path, "rows") with { HeldOut = 0.2 }, 2, Lengths);
        Assert.NotEqual(heldOut, Enumerable.Range(0, other.Counts.HeldOut).Select(i => other.HeldOut(i).Prompt));
    }

    [Fact]
    public void Rows_that_are_evaluated_on_must_be_left_out_of_training()
    {
        var train = Write("train.jsonl", string.Concat(Enumerable.Range(0, 100).Select(i => $$"""{"prompt": "{{i}}", "answer": "a"}{{"\n"}}""")));
        var eval = Write("eval.jsonl", string.Concat(Enumerable.Range(90, 20).Select(i => $$"""{"prompt": "{{i}}", "answer": "a"}{{"\n"}}""")));
        using var set = Read(Settings(train, "rows") with { Eval = eval });
        Assert.Equal(new DataSetCounts(120, 0, 0, 0, HeldBack: 10, HeldOut: 20, Train: 90, Answers: 90), set.Counts);
        Assert.Equal("120 rows: 90 to train on (90 with an answer that fits), 20 held out, 10 left out of training because they are held out", set.Counts.ToString());
        Assert.Equal(Enumerable.Range(90, 20).Select(i => $"{i}"), Enumerable.Range(0, 20).Select(i => set.HeldOut(i).Prompt));
    }

    [Fact]
    public void Every_pass_must_have_every_row_once_in_an_order_of_its_own_that_only_seed_and_ordinal_decide()
    {
        var path = Write("a.jsonl", string.Concat(Enumerable.Range(0, 500).Select(i => $$"""{"prompt": "{{i}}", "answer": "a{{i}}"}{{"\n"}}""")));
        var task = new DataTask(Settings(path, "rows"), 1, Lengths);
        var count = task.Counts.Train;
        string[] Pass(ITask of, long pass) => [.. Enumerable.Range(0, count).Select(i => of.Train((pass * count) + i).Prompt)];

        var (first, second) = (Pass(task, 0), Pass(task, 1));
        Assert.Equal(count, first.Distinct().Count());
        Assert.Equal(first.Order(), second.Order());
        Assert.NotEqual(first, second);
        // Of 475 places about one is the same by chance.
        Assert.InRange(first.Zip(second).Count(pair => pair.First == pair.Second), 0, 8);

        // A run that is resumed in its 1,001st pass, on another node, asked by many threads in no order.
        var again = new DataTask(Settings(path, "rows"), 1, Lengths);
        var far = Pass(task, 1000);
        var asked = new string[2 * count];
        Parallel.For(0, 2 * count, i => asked[i] = again.Train((1000L * count) + i).Prompt);
        Assert.Equal([.. far, .. Pass(task, 1001)], asked);

        Assert.NotEqual(first, Enumerable.Range(0, count).Select(i => task.Corpus(i).Prompt));
        var unshuffled = new DataTask(Settings(path, "rows") with { Shuffle = false }, 1, Lengths);
        Assert.Equal(Pass(unshuffled, 0), Pass(unshuffled, 7));
        Assert.Equal(Pass(unshuffled, 0).Select(int.Parse).Order(), Pass(unshuffled, 0).Select(int.Parse));
    }

    [Fact]
    public void Templates_must_be_laid_around_the_prompt()
    {
        var path = Write("a.jsonl", """{"question": "1+1?", "answer": "#### 2"}""");
        string Told(string template) => Assert.Single(DataSet.Rows(path, Settings(path, "gsm8k") with { Template = template })).Told!;
        Assert.Equal("1+1?", Told("plain"));
        Assert.Equal("Q: 1+1?\nA:", Told("Q: {prompt}\nA:"));
        Assert.StartsWith("1+1?\n\nWork it out step by step. End with a line that holds ####", Told("own"), StringComparison.Ordinal);
        // Each name of the catalogue says something of its own.
        var told = DataSettings.Templates.Select(Told).ToArray();
        Assert.Equal(told.Length, told.Distinct().Count());
        Assert.All(told, text => Assert.Contains("1+1?", text, StringComparison.Ordinal));
    }

    [SharedTheory]
    [InlineData("gsm8k", "gsm8k/test.jsonl", 1319)]
    [InlineData("gsm8k", "gsm8k/train-2000.jsonl", 2000)]
    [InlineData("math", "math/train-600.jsonl", 599, 107)]
    [InlineData("humaneval", "humaneval/HumanEval.jsonl.gz", 164)]
    [InlineData("sudoku", "d1/4x4_test_sudoku.csv", 500)]
    [InlineData("countdown", "d1/countdown_cd3_test.jsonl", 256)]
    public void Published_sets_must_be_read_whole(string format, string file, int rows, int empty = 0)
    {
        var path = SharedFolder.Path(["data", .. file.Split('/')]);
        if (empty > 0)
        {
            // One answer of MATH's copy is empty: nothing could be right there.
            Assert.StartsWith($"{path}:{empty}:", Assert.Throws<DataException>(() => Rows(path, format)).Message, StringComparison.Ordinal);
            path = Write("kept.jsonl", string.Concat(File.ReadLines(path).Where((_, i) => i != empty - 1).Select(line => line + "\n")));
        }

        var items = Rows(path, format, template: "own");
        Assert.Equal(rows, items.Count);
        Assert.All(items, item => Assert.True(item.Prompt.Length > 0 && item.Answer.Length > 0 && item.Reference.Length > 0));
        if (format == "humaneval") Assert.All(items, item => Assert.IsType<CodeProblem.HumanEval>(CodeProblem.Read(item.Reference)));
        if (format == "sudoku") Assert.All(items, item => Assert.True(SudokuGrid.IsSolution(item.Answer)));
    }

    [Fact]
    public void Every_format_must_have_an_example_that_it_reads()
    {
        foreach (var format in DataSettings.Formats)
        {
            var error = Assert.Throws<DataException>(() => Rows(Write("wrong.jsonl", """{"nothing": 1}"""), format));
            var example = error.Message[(error.Message.IndexOf(" - write ", StringComparison.Ordinal) + " - write ".Length)..];
            Assert.NotEqual("", Assert.Single(Rows(Write($"{format}.jsonl", example), format)).Reference);
        }
    }

    private static RowLengths Lengths { get; } = new(item => item.Told!.Length, answer => answer.Length, 20);

    private static DataSettings Settings(string path, string format) => new(path, null, format, new DataColumns(null, null, null), "plain", 0.05, true, 1, 1000, null);

    private static DataSet Read(DataSettings settings) => DataSet.Read(settings, 1, Lengths);

    private static List<TaskItem> Rows(string path, string format = "rows", DataColumns? columns = null, string template = "plain") =>
        [.. DataSet.Rows(path, Settings(path, format) with { Columns = columns ?? new DataColumns(null, null, null), Template = template })];

    private string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    private string Write(string name, string content)
    {
        File.WriteAllText(Path(name), content);
        return Path(name);
    }

    private string Pack(string name, string content)
    {
        using var packed = new GZipStream(File.Create(Path(name)), CompressionLevel.Fastest);
        packed.Write(Encoding.UTF8.GetBytes(content));
        return Path(name);
    }

#pragma warning disable IDE1006 // The file's columns are in lower case.
    private sealed class ParquetRow
    {
        public string? prompt { get; set; }

        public string? answer { get; set; }

        public string? reference { get; set; }
    }

    private sealed class VerlRow
    {
        public string? data_source { get; set; }

        public List<VerlMessage>? prompt { get; set; }

        public VerlReward? reward_model { get; set; }

        public VerlInfo? extra_info { get; set; }
    }

    private sealed class VerlMessage
    {
        public string? role { get; set; }

        public string? content { get; set; }
    }

    private sealed class VerlReward
    {
        public string? style { get; set; }

        public string? ground_truth { get; set; }
    }

    private sealed class VerlInfo
    {
        public string? answer { get; set; }
    }
#pragma warning restore IDE1006
}
