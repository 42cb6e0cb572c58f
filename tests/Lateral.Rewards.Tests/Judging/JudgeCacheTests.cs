using System.Text.Json;
using Lateral.Core.Rewards;
using Lateral.Rewards.Judging;

namespace Lateral.Rewards.Tests.Judging;

public sealed class JudgeCacheTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lateral-judge-").FullName;

    private string File => Path.Combine(_folder, "verdicts", "judge.jsonl");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Equal_question_must_be_asked_once_and_another_one_again()
    {
        await using var server = new JudgeServer(Behave.Score(1), Behave.Score(2), Behave.Score(3), Behave.Score(4), Behave.Score(5));
        using var judge = Judges.Of(server.Url);
        Assert.Equal((double[])[.1, .2, .1, .2], (double[])[await judge.ValueAsync("a"), await judge.ValueAsync("b"), await judge.ValueAsync("a"), await judge.ValueAsync("b")]);
        Assert.Equal(.3, Assert.IsType<RewardOutcome.Scored>(await judge.ScoreAsync(Judges.Request("a", reference: "5"), CancellationToken.None)).Value);
        Assert.Equal(3, server.Questions.Count);
        // Another model, another question.
        using var other = Judges.Of(server.Url, ("model", "judge-2"));
        Assert.Equal(.4, await other.ValueAsync("a"));
    }

    [Fact]
    public async Task Cache_must_forget_what_was_used_longest_ago()
    {
        await using var server = new JudgeServer(Behave.Score(1));
        using var judge = Judges.Of(server.Url, ("cache-entries", "2"));
        foreach (var completion in (string[])["a", "b", "a", "c", "a", "c", "b"]) await judge.ValueAsync(completion);
        // b was used longest ago when c came, and is asked again; a and c are known.
        Assert.Equal(["a", "b", "c", "b"], server.Questions.Select(Completion));
    }

    [Fact]
    public async Task Without_a_cache_every_question_must_be_asked()
    {
        await using var server = new JudgeServer(Behave.Score(1));
        using var judge = Judges.Of(server.Url, ("cache-entries", "0"));
        for (var i = 0; i < 3; i++) await judge.ValueAsync();
        Assert.Equal(3, server.Questions.Count);
    }

    [Fact]
    public async Task Equal_questions_at_one_time_must_share_one_call_that_outlives_whoever_leaves()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new JudgeServer(Behave.After(go.Task, Behave.Score(8)));
        using var judge = Judges.Of(server.Url);
        using var leaving = new CancellationTokenSource();
        var first = judge.ScoreAsync(Judges.Request(), leaving.Token).AsTask();
        var others = Enumerable.Range(0, 9).Select(_ => judge.ScoreAsync(Judges.Request(), CancellationToken.None).AsTask()).ToArray();
        await Judges.UntilAsync(() => server.Questions.Count == 1, "no question comes");
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Judges.Patience));
        go.SetResult();
        Assert.All(await Task.WhenAll(others).WaitAsync(Judges.Patience), outcome => Assert.Equal(.8, Assert.IsType<RewardOutcome.Scored>(outcome).Value));
        Assert.Single(server.Questions);
        Assert.Equal(0, judge.Asking);
    }

    [Fact]
    public async Task Fault_must_not_be_remembered()
    {
        await using var server = new JudgeServer(Behave.Status(400, "no"), Behave.Score(9));
        using var judge = Judges.Of(server.Url, ("cache-file", File));
        await judge.FaultAsync();
        Assert.Equal(.9, await judge.ValueAsync());
    }

    /// <summary>Else the pool's trial would find a verifier that works, let everything through, and give up the groups that fail.</summary>
    [Fact]
    public async Task What_is_known_must_not_hide_that_the_endpoint_is_away()
    {
        await using var server = new JudgeServer(Behave.Score(5), Behave.Status(400, "no"), Behave.Status(400, "no"), Behave.Score(9), Behave.Score(8));
        using var judge = Judges.Of(server.Url, ("cache-file", File));
        Assert.Equal(.5, await judge.ValueAsync("a"));
        await judge.FaultAsync("b");
        await judge.FaultAsync("a");
        // Answered at last: what was said first stays said, and nothing known is asked any more.
        Assert.Equal(.5, await judge.ValueAsync("a"));
        Assert.Equal(.5, await judge.ValueAsync("a"));
        Assert.Equal(["a", "b", "a", "a"], server.Questions.Select(Completion));
        Assert.Single(System.IO.File.ReadLines(File));
    }

    [Fact]
    public async Task File_must_answer_the_next_process_without_a_request()
    {
        await using var server = new JudgeServer(Behave.Says("""{"reason": "ja, \"ümlaut\"", "score": 4}"""), Behave.Score(6), Behave.Status(500, "gone"));
        using (var before = Judges.Of(server.Url, ("cache-file", File)))
        {
            Assert.Equal(.4, await before.ValueAsync("a"));
            Assert.Equal(.6, await before.ValueAsync("b"));
        }

        using var after = Judges.Of(server.Url, ("cache-file", File), ("retries", "0"));
        Assert.Equal((double[])[.4, .6], (double[])[await after.ValueAsync("a"), await after.ValueAsync("b")]);
        Assert.Equal(2, server.Questions.Count);
        await after.FaultAsync("c");
        Assert.Equal("ja, \"ümlaut\"", JsonElement.Parse(System.IO.File.ReadLines(File).First()).GetProperty("reason").GetString());
    }

    /// <summary>Torn at every byte of its last line: the line before it is known, the torn one is asked again, and the file is whole afterwards.</summary>
    [Fact]
    public async Task Torn_last_line_must_cost_one_question_and_nothing_else()
    {
        await using var server = new JudgeServer(Behave.By(call => Behave.Score(Completion(call) == "a" ? 4 : 6)));
        using (var before = Judges.Of(server.Url, ("cache-file", File)))
        {
            await before.ValueAsync("a");
            await before.ValueAsync("b");
        }

        var whole = await System.IO.File.ReadAllBytesAsync(File);
        var second = Array.IndexOf(whole, (byte)'\n') + 1;
        for (var length = second; length < whole.Length; length += 7)
        {
            await System.IO.File.WriteAllBytesAsync(File, whole[..length]);
            var asked = server.Questions.Count;
            using (var after = Judges.Of(server.Url, ("cache-file", File))) Assert.Equal((double[])[.4, .6], (double[])[await after.ValueAsync("a"), await after.ValueAsync("b")]);
            Assert.Equal(asked + 1, server.Questions.Count);
            using (var later = Judges.Of(server.Url, ("cache-file", File))) Assert.Equal((double[])[.4, .6], (double[])[await later.ValueAsync("a"), await later.ValueAsync("b")]);
            Assert.Equal(asked + 1, server.Questions.Count);
        }
    }

    [Fact]
    public async Task File_must_take_the_lines_of_several_writers_whole()
    {
        await using var server = new JudgeServer(Behave.Score(3));
        var judges = Enumerable.Range(0, 4).Select(_ => Judges.Of(server.Url, ("cache-file", File))).ToArray();
        var outcomes = await Task.WhenAll(judges.SelectMany((judge, j) => Enumerable.Range(0, 25).Select(i => judge.ScoreAsync(Judges.Request($"{j} {i}"), CancellationToken.None).AsTask()))).WaitAsync(Judges.Patience);
        Assert.All(outcomes, outcome => Assert.IsType<RewardOutcome.Scored>(outcome));
        Assert.Equal(100, System.IO.File.ReadLines(File).Select(line => JsonElement.Parse(line).GetProperty("key").GetString()).Distinct().Count());
        foreach (var judge in judges) judge.Dispose();
    }

    [Fact]
    public async Task File_must_be_written_by_one_at_a_time()
    {
        await using var server = new JudgeServer(Behave.Score(3));
        using var judge = Judges.Of(server.Url, ("cache-file", File));
        await judge.ValueAsync("a");
        Task<double> second;
        using (new FileStream(File, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            second = judge.ValueAsync("b");
            await Judges.UntilAsync(() => server.Questions.Count == 2, "no question comes");
            await Task.Delay(200);
            Assert.False(second.IsCompleted, "a line was written beside another writer");
        }

        Assert.Equal(.3, await second);
        Assert.Equal(2, System.IO.File.ReadLines(File).Count());
    }

    [Fact]
    public async Task File_of_something_else_must_be_refused_and_left_alone()
    {
        await using var server = new JudgeServer(Behave.Score(3)) { Models = Behave.Status(200, """{"data": [{"id": "judge-1"}]}""") };
        var thesis = Path.Combine(_folder, "thesis.txt");
        await System.IO.File.WriteAllTextAsync(thesis, "Chapter 1\nIt was\n");
        using var judge = Judges.Of(server.Url, ("cache-file", thesis));
        Assert.Contains($"cache-file = {thesis} is no file of verdicts: none of its 2 lines is one - name another file", await judge.RefusalAsync(), StringComparison.Ordinal);
        Assert.Contains("is no file of verdicts", await judge.FaultAsync(), StringComparison.Ordinal);
        Assert.Equal("Chapter 1\nIt was\n", await System.IO.File.ReadAllTextAsync(thesis));

        using var folder = Judges.Of(server.Url, ("cache-file", _folder));
        Assert.Contains($"cache-file = {_folder} cannot be written", await folder.RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verdict_of_a_file_that_somebody_edited_must_be_asked_again()
    {
        await using var server = new JudgeServer(Behave.Score(3));
        using (var before = Judges.Of(server.Url, ("cache-file", File))) await before.ValueAsync();
        await System.IO.File.WriteAllTextAsync(File, (await System.IO.File.ReadAllTextAsync(File)).Replace("\"score\":3", "\"score\":11", StringComparison.Ordinal));
        using var after = Judges.Of(server.Url, ("cache-file", File));
        Assert.Equal(.3, await after.ValueAsync());
        Assert.Equal(2, server.Questions.Count);
    }

    private static string Completion(HttpCall call)
    {
        var lines = call.Message(1).Split('\n');
        return lines[Array.FindIndex(lines, line => line.StartsWith("<completion ", StringComparison.Ordinal)) + 1];
    }
}
