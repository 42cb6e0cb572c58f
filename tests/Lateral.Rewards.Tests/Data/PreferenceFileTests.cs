using Lateral.Rewards.Data;

namespace Lateral.Rewards.Tests.Data;

public sealed class PreferenceFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lateral-pairs-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Read_must_take_texts_and_pass_over_what_else_a_row_has()
    {
        var rows = Read("""{"prompt": "31415", "chosen": "11345", "rejected": "54311", "chosen_reward": 1, "group": 5}""", "", """{"prompt": "2", "chosen": "", "rejected": "3", "margin": 0.5}""");
        Assert.Equal([("31415", "11345", "54311", 0, 1), ("2", "", "3", .5, 3)], rows.Select(row => (row.Prompt, row.Chosen, row.Rejected, row.Margin, row.Line)));
    }

    [Fact]
    public void Read_must_take_chat_messages_and_the_last_one_as_the_completion()
    {
        const string One = """[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]""", Other = """[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "What?"}]""";
        const string Long = """[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "CONTENT"}]""";
        var rows = Read(
            $$"""{"chosen": {{One}}, "rejected": {{Other}}}""",
            $$"""{"prompt": "As a text", "chosen": {{One}}, "rejected": {{Other}}}""",
            $$"""{"prompt": [{"role": "user", "content": "As a message"}], "chosen": [{"role": "assistant", "content": "x"}], "rejected": [{"role": "assistant", "content": "y"}]}""",
            $$"""{"chosen": {{Long.Replace("CONTENT", "d", StringComparison.Ordinal)}}, "rejected": {{Long.Replace("CONTENT", "e", StringComparison.Ordinal)}}}""");
        Assert.Equal(
            [("Hi", "Hello!", "What?"), ("As a text", "Hello!", "What?"), ("As a message", "x", "y"), ("user: a\nassistant: b\nuser: c", "d", "e")],
            rows.Select(row => (row.Prompt, row.Chosen, row.Rejected)));
    }

    [Theory]
    [InlineData("""{"prompt": "1", "chosen": "2"}""", ":2:1 has no 'rejected' - its fields are {prompt, chosen}")]
    [InlineData("""{"chosen": "2", "rejected": "3"}""", ":2:1 has no 'prompt' - its fields are {chosen, rejected}")]
    [InlineData("""{"prompt": "1", "chosen": 2, "rejected": "3"}""", ":2:17 'chosen' is a JSON Number - it is a text or a list of messages")]
    [InlineData("""{"prompt": "1", "chosen": "2", "rejected": "2"}""", ":2:1 prefers nothing - 'chosen' and 'rejected' are the same text - leave the row out")]
    [InlineData("""{"prompt": "1", "chosen": "2", "rejected": "3", "margin": -1}""", ":2:1 'margin' is -1 - it is at least 0")]
    [InlineData("""{"prompt": "1", "chosen": "2", "rejected": "3", "margin": "1"}""", ":2:49 'margin' is \"1\" - it is a number")]
    [InlineData("""{"prompt": "1", "chosen": [], "rejected": "3"}""", ":2:17 'chosen' is a JSON Array - it is a text or a list of messages")]
    [InlineData("""{"prompt": "1", "chosen": [{"role": "user", "content": "2"}], "rejected": "3"}""", ":2:1 'chosen' ends with no completion - its last message is the user's")]
    [InlineData("""{"prompt": "1", "chosen": [{"role": "assistant"}], "rejected": "3"}""", ":2:17 a message of 'chosen' has no content - messages are {role, content}")]
    [InlineData("""{"prompt": "1", "chosen": ["2"], "rejected": "3"}""", ":2:17 a message of 'chosen' has no role - messages are {role, content}")]
    [InlineData("""{"chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "rejected": [{"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]}""", ":2:1 has no one prompt - what stands before the last message differs")]
    [InlineData("""["2", "3"]""", ":2:1 is a JSON Array - a row is an object")]
    [InlineData("""{"prompt": "1", """, ":2:17 is not valid JSON")]
    public void Wrong_row_must_be_told_with_its_line(string row, string message)
    {
        var error = Assert.Throws<DataException>(() => Read("""{"prompt": "31415", "chosen": "11345", "rejected": "54311"}""", row));
        Assert.Equal(2, error.Line);
        Assert.Contains($"pairs.jsonl{message}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_without_rows_or_none_must_be_refused()
    {
        Assert.Contains("pairs.jsonl has no rows - there is nothing to learn from", Assert.Throws<DataException>(() => Read("", " ")).Message, StringComparison.Ordinal);
        Assert.Contains("does not exist", Assert.Throws<DataException>(() => PreferenceFile.Read(Path.Combine(_folder.FullName, "none.jsonl"))).Message, StringComparison.Ordinal);
    }

    private IReadOnlyList<PreferenceRow> Read(params string[] lines)
    {
        var path = Path.Combine(_folder.FullName, "pairs.jsonl");
        File.WriteAllLines(path, lines);
        return PreferenceFile.Read(path);
    }
}
