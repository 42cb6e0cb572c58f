using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Lateral.Core.Rewards;

namespace Lateral.Rewards.Tests.Judging;

/// <summary>An endpoint that misbehaves in every way, over real sockets.</summary>
public sealed class JudgeFaultTests
{
    private const string GoodVerdict = """{"reason": "because", "score": 6}""";

    /// <summary>What an endpoint did before it came to its senses.</summary>
    public static TheoryData<string> Passing => [.. Troubles.Keys];

    private static readonly Dictionary<string, (Behaviour Do, string Told)> Troubles = new()
    {
        ["500"] = (Behave.Status(500, "out of memory"), "answered 500: out of memory"),
        ["503"] = (Behave.Status(503, ""), "answered 503: (nothing)"),
        ["408"] = (Behave.Status(408, "slow"), "answered 408: slow"),
        ["429"] = (Behave.Status(429, "slow down", "Retry-After: 0"), "answered 429: slow down"),
        ["hang"] = (Behave.Hang, "gave no answer within attempt-seconds = 0.5"),
        ["drip"] = (Behave.Drip, "gave no answer within attempt-seconds = 0.5"),
        ["truncated"] = (Behave.Truncate, "the connection to http://127.0.0.1"),
        ["reset"] = (Behave.Reset, "the connection to http://127.0.0.1"),
        ["garbage"] = (Behave.Raw([0x16, 0x03, 0x00, 0xff, 0x0d, 0x0a, 0x0d, 0x0a]), "the connection to http://127.0.0.1"),
        ["nothing"] = (Behave.Raw([]), "the connection to http://127.0.0.1"),
        ["html"] = (Behave.Status(200, "<html>\n<b>Bad gateway</b></html>"), "judge-1 gave no verdict: it answered with something else than JSON: <html> <b>Bad gateway</b></html>"),
        ["empty body"] = (Behave.Status(200, ""), "it answered with something else than JSON: (nothing)"),
        ["binary"] = (Behave.Raw([.. "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"u8, 0xff, 0xfe, 0x00, 0x80]), "it answered with something else than JSON"),
        ["list"] = (Behave.Status(200, "[1, 2]"), "its answer has no choices: [1, 2]"),
        ["no choices"] = (Behave.Status(200, """{"error": "model is loading"}"""), "its answer has no choices: {\"error\": \"model is loading\"}"),
        ["choices of another kind"] = (Behave.Status(200, """{"choices": "none"}"""), "its answer has no choices"),
        ["empty choices"] = (Behave.Status(200, """{"choices": []}"""), "its answer has an empty list of choices"),
        ["a choice that is a number"] = (Behave.Status(200, """{"choices": [3]}"""), "its answer has no text"),
        ["null content"] = (Behave.Status(200, """{"choices": [{"message": {"content": null}}]}"""), "its answer has no text"),
        ["refusal"] = (Behave.Status(200, """{"choices": [{"message": {"content": null, "refusal": "I cannot"}}]}"""), "it refuses to judge: I cannot"),
        ["cut off"] = (Behave.Status(200, Behave.Completion("""{"reason": "it is""", "length", 1)), "its verdict is cut off - raise max-reply-tokens"),
        ["filtered"] = (Behave.Status(200, Behave.Completion("", "content_filter", 1)), "withheld by a content filter"),
        ["prose"] = (Behave.Says("I like it."), "there is no JSON object with score in its answer: I like it."),
        ["above the scale"] = (Behave.Score(11), "its score for score is 11, and the scale goes from 0 to 10"),
        ["below the scale"] = (Behave.Score(-0.5), "its score for score is -0.5, and the scale goes from 0 to 10"),
        ["infinite"] = (Behave.Says("""{"score": 1e999}"""), "the scale goes from 0 to 10"),
        ["NaN"] = (Behave.Says("""{"score": "NaN"}"""), "the scale goes from 0 to 10"),
        ["fraction as text"] = (Behave.Says("""{"score": "7/10"}"""), "its score for score is no number: 7/10"),
        ["null score"] = (Behave.Says("""{"score": null}"""), "its score for score is no number"),
        ["two verdicts"] = (Behave.Says("""It says {"score": 10}. I say {"score": 1}."""), "there are several verdicts in its answer"),
        ["a name twice"] = (Behave.Says("""{"score": 10, "score": 1}"""), "there is no JSON object with score"),
        ["huge body"] = (Behave.Status(200, new string(' ', (1 << 20) + 1)), "sends more than 1024 KiB for one verdict"),
        ["endless body"] = (Behave.Flood, "sends more than 1024 KiB for one verdict"),
    };

    [Theory]
    [MemberData(nameof(Passing))]
    public async Task Trouble_that_passes_must_be_asked_through_and_trouble_that_stays_must_be_no_number(string trouble)
    {
        var (behaviour, told) = Troubles[trouble];
        (string, string?)[] keys = [("retries", "2"), ("attempt-seconds", trouble is "hang" or "drip" ? "0.5" : "30")];
        await using (var server = new JudgeServer(behaviour, behaviour, Behave.Says(GoodVerdict)))
        {
            using var judge = Judges.Of(server.Url, keys);
            Assert.Equal(.6, await judge.ValueAsync());
            Assert.Equal(3, server.Questions.Count);
            // Asked with another seed each time: the same one would only be answered alike.
            Assert.Equal([1, 2, 3], server.Questions.Select(call => call.Json.GetProperty("seed").GetInt32()));
            await Judges.UntilAsync(() => server.Open == 0, "connections stay open");
        }

        await using (var server = new JudgeServer(behaviour))
        {
            using var judge = Judges.Of(server.Url, keys);
            var fault = await judge.FaultAsync();
            Assert.Contains(told, fault, StringComparison.Ordinal);
            Assert.EndsWith("(attempt 3 of 3)", fault, StringComparison.Ordinal);
            Assert.Equal(3, server.Questions.Count);
        }
    }

    [Theory]
    [InlineData(400, "refuses the request with 400: no such field - where it does not know response_format write structured = off")]
    [InlineData(422, "refuses the request with 422: no such field")]
    [InlineData(401, "answered 401: no such field - the key may not use model judge-1: look at the variable that api-key is read from")]
    [InlineData(403, "answered 403: no such field - the key may not use model judge-1")]
    [InlineData(404, "/v1/chat/completions answered 404: no such field - url is what /chat/completions stands below")]
    public async Task Refusal_must_not_be_asked_again_and_must_say_what_to_do(int code, string told)
    {
        await using var server = new JudgeServer(Behave.Status(code, "no such field"));
        using var judge = Judges.Of(server.Url, ("api-key", Judges.Key));
        Assert.Contains(told, await judge.FaultAsync(), StringComparison.Ordinal);
        Assert.Single(server.Questions);
    }

    [Fact]
    public async Task Missing_key_must_be_told_as_that()
    {
        await using var server = new JudgeServer(Behave.Status(401, "key, please"));
        using var judge = Judges.Of(server.Url);
        Assert.Contains("it wants a key: write api-key = ${?NAME} and set NAME in the environment", await judge.FaultAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redirect_must_not_be_followed_with_the_key()
    {
        await using var elsewhere = new JudgeServer(Behave.Score(10));
        await using var server = new JudgeServer(Behave.Status(307, "", $"Location: {elsewhere.Url}/chat/completions?token=x"));
        using var judge = Judges.Of(server.Url, ("api-key", Judges.Key));
        Assert.Contains($"answered 307 and points to {elsewhere.Url}/chat/completions: redirects are not followed", await judge.FaultAsync(), StringComparison.Ordinal);
        Assert.Empty(elsewhere.Calls);
    }

    [Fact]
    public async Task Content_type_must_not_matter()
    {
        var body = Encoding.UTF8.GetBytes(Behave.Completion(GoodVerdict, "stop", 1));
        await using var server = new JudgeServer(Behave.Raw([.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=no-such\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"), .. body]));
        using var judge = Judges.Of(server.Url);
        Assert.Equal(.6, await judge.ValueAsync());
    }

    /// <summary>A lower bound on time holds on the slowest machine, too.</summary>
    [Theory]
    [InlineData("Retry-After: 1")]
    [InlineData("Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nRetry-After: Thu, 01 Jan 2026 00:00:01 GMT")]
    public async Task Retry_after_must_be_waited_for(string header)
    {
        await using var server = new JudgeServer(Behave.Status(429, "slow down", header), Behave.Says(GoodVerdict));
        using var judge = Judges.Of(server.Url);
        var since = Stopwatch.StartNew();
        Assert.Equal(.6, await judge.ValueAsync());
        Assert.True(since.Elapsed >= TimeSpan.FromSeconds(.95), $"asked again after {since.Elapsed}");
    }

    [Fact]
    public async Task Retry_after_beyond_the_longest_wait_must_end_the_call()
    {
        await using var server = new JudgeServer(Behave.Status(429, "tomorrow", "Retry-After: 86400"));
        using var judge = Judges.Of(server.Url);
        Assert.Contains("answered 429: tomorrow - it asks to wait 86400 s, which is more than longest-wait-seconds = 30", await judge.FaultAsync(), StringComparison.Ordinal);
        Assert.Single(server.Questions);
    }

    [Fact]
    public async Task Endpoint_that_is_not_there_must_be_told_with_its_address()
    {
        string url;
        await using (var server = new JudgeServer(Behave.Score(1))) url = server.Url;
        using var judge = Judges.Of($"{url}?secret=1", ("retries", "1"));
        var fault = await judge.FaultAsync();
        Assert.StartsWith($"judge: {url} cannot be reached: ", fault, StringComparison.Ordinal);
        Assert.EndsWith("(attempt 2 of 2)", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_at_once_must_never_exceed_in_flight()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new JudgeServer(Behave.After(go.Task, Behave.Score(5)));
        using var judge = Judges.Of(server.Url, ("in-flight", "3"));
        var scoring = Enumerable.Range(0, 30).Select(i => judge.ScoreAsync(Judges.Request($"answer {i}"), CancellationToken.None).AsTask()).ToArray();
        await Judges.UntilAsync(() => server.MostAtOnce == 3, "three are never under way");
        go.SetResult();
        var outcomes = await Task.WhenAll(scoring).WaitAsync(Judges.Patience);
        Assert.All(outcomes, outcome => Assert.Equal(.5, Assert.IsType<RewardOutcome.Scored>(outcome).Value));
        Assert.Equal((3, 30), (server.MostAtOnce, server.Questions.Count));
    }

    [Fact]
    public async Task Deadline_must_free_connection_turn_and_call()
    {
        await using var server = new JudgeServer(Behave.Hang, Behave.Hang, Behave.Score(5));
        using var judge = Judges.Of(server.Url, ("in-flight", "1"));
        using var deadline = new CancellationTokenSource();
        var first = judge.ScoreAsync(Judges.Request("one"), deadline.Token).AsTask();
        await Judges.UntilAsync(() => server.Questions.Count == 1, "the first question never came");
        // This one waits for its turn when the deadline comes.
        var second = judge.ScoreAsync(Judges.Request("two"), deadline.Token).AsTask();
        await Judges.UntilAsync(() => judge.Asking == 2, "the second question never waits");
        await deadline.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Judges.Patience));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WaitAsync(Judges.Patience));
        Assert.Equal((0, 1), (judge.Asking, server.Questions.Count));
        await Judges.UntilAsync(() => server.Open == 0, "the connection stays open");

        using var again = new CancellationTokenSource(TimeSpan.FromSeconds(.2));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await judge.ScoreAsync(Judges.Request("three"), again.Token));
        Assert.Equal(.5, await judge.ValueAsync("one"));
    }

    [Fact]
    public async Task Pool_must_turn_a_judge_that_hangs_into_a_fault()
    {
        await using var server = new JudgeServer(Behave.Hang);
        using var judge = Judges.Of(server.Url);
        var pool = new RewardPool(new RewardPoolSpec("judge", "judge", 2, 1, TimeSpan.FromSeconds(.3), 0), judge);
        var outcomes = await pool.ScoreAsync([Judges.Request("a"), Judges.Request("b"), Judges.Request("c")]).WaitAsync(Judges.Patience);
        Assert.Equal(Enumerable.Repeat(new RewardOutcome.InfraFault("no answer within 0.3 s"), 3), outcomes);
        await Judges.UntilAsync(() => judge.Asking == 0 && server.Open == 0, "a call runs on behind its deadline");
    }

    [Fact]
    public async Task Key_must_stand_in_no_message_even_where_the_endpoint_quotes_it()
    {
        Behaviour echo = Behave.By(call => Behave.Status(401, $"wrong key {call.Headers["Authorization"]}"));
        await using var server = new JudgeServer(echo, Behave.By(call => Behave.Status(500, call.Headers["Authorization"])), Behave.By(call => Behave.Says(call.Headers["Authorization"])), Behave.Status(302, "", $"Location: http://x/{Judges.Key}")) { Models = echo };
        using var judge = Judges.Of(server.Url, ("api-key", Judges.Key), ("retries", "0"));
        var told = new List<string> { await judge.FaultAsync(), await judge.FaultAsync(), await judge.FaultAsync(), await judge.FaultAsync(), await judge.RefusalAsync() };
        Assert.Equal([true, true, true, true, true], told.Select(text => text.Contains("***", StringComparison.Ordinal)));
        Assert.DoesNotContain(told, text => text.Contains("top-secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Server_must_count_what_a_plain_client_opens()
    {
        // That connections are counted at all, so that none being open means something.
        await using var server = new JudgeServer(Behave.Hang);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", new Uri(server.Url).Port);
        await Judges.UntilAsync(() => server.Open == 1, "no connection is counted");
        client.Close();
        await Judges.UntilAsync(() => server.Open == 0, "a closed connection is counted");
    }
}
