namespace Lateral.Rewards.Tests.Judging;

public sealed class JudgeProbeTests
{
    private static Behaviour List(params string[] names) => Behave.Status(200, $$"""{"object": "list", "data": [{{string.Join(", ", names.Select(name => $$"""{"id": "{{name}}"}"""))}}]}""");

    [Fact]
    public async Task Listed_model_must_be_proof_enough()
    {
        await using var server = new JudgeServer(Behave.Status(500, "")) { Models = List("other", "judge-1") };
        using var judge = Judges.Of(server.Url, ("api-key", Judges.Key));
        await judge.PrepareAsync(CancellationToken.None).WaitAsync(Judges.Patience);
        var call = Assert.Single(server.Calls);
        Assert.Equal(("GET", "/v1/models", $"Bearer {Judges.Key}"), (call.Method, call.Target, call.Headers["Authorization"]));
    }

    [Fact]
    public async Task Endpoint_without_the_model_must_be_refused_with_those_that_it_has()
    {
        await using var server = new JudgeServer(Behave.Status(404, "model not found")) { Models = List("judge-2", "llama") };
        using var judge = Judges.Of(server.Url);
        var told = await judge.RefusalAsync();
        Assert.StartsWith("reward kind judge: unknown model 'judge-1'; did you mean 'judge-2'? Known: judge-2, llama; asked all the same: ", told, StringComparison.Ordinal);
        Assert.Contains("answered 404: model not found", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Model_that_is_known_by_another_name_must_prove_itself_by_a_judgement()
    {
        await using var server = new JudgeServer(Behave.Score(10)) { Models = List("judge-1:latest") };
        using var judge = Judges.Of(server.Url);
        await judge.PrepareAsync(CancellationToken.None).WaitAsync(Judges.Patience);
        Assert.Single(server.Questions);
    }

    public static TheoryData<string> Listless => ["404", "405", "html", "another form"];

    [Theory]
    [MemberData(nameof(Listless))]
    public async Task Endpoint_without_a_list_must_prove_itself_by_a_judgement(string kind)
    {
        var models = kind switch
        {
            "404" => Behave.Status(404, "what list?"),
            "405" => Behave.Status(405, ""),
            "html" => Behave.Status(200, "<html>models</html>"),
            _ => Behave.Status(200, """{"data": {"id": 3}}"""),
        };
        await using (var server = new JudgeServer(Behave.Score(10)) { Models = models })
        {
            using var judge = Judges.Of(server.Url);
            await judge.PrepareAsync(CancellationToken.None).WaitAsync(Judges.Patience);
            Assert.Single(server.Questions);
        }

        await using (var server = new JudgeServer(Behave.Says("yes")) { Models = models })
        {
            using var judge = Judges.Of(server.Url);
            Assert.StartsWith("reward kind judge: judge-1 gave no verdict: there is no JSON object with score in its answer: yes", await judge.RefusalAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Refusing_endpoint_must_be_told()
    {
        await using var server = new JudgeServer(Behave.Score(1)) { Models = Behave.Status(401, "no") };
        using var judge = Judges.Of(server.Url);
        Assert.Contains("answered 401: no - it wants a key", await judge.RefusalAsync(), StringComparison.Ordinal);
        Assert.Empty(server.Questions);
    }

    [Fact]
    public async Task Silent_endpoint_must_be_told()
    {
        await using var server = new JudgeServer(Behave.Score(1)) { Models = Behave.Hang };
        using var judge = Judges.Of(server.Url, ("retries", "1"), ("attempt-seconds", "0.3"));
        Assert.Contains("gave no answer within attempt-seconds = 0.3 (attempt 2 of 2)", await judge.RefusalAsync(), StringComparison.Ordinal);
        await Judges.UntilAsync(() => server.Open == 0, "connections stay open");
    }

    [Fact]
    public async Task Absent_endpoint_must_be_told()
    {
        string url;
        await using (var server = new JudgeServer(Behave.Score(1))) url = server.Url;
        using var judge = Judges.Of(url);
        var told = await judge.RefusalAsync();
        Assert.StartsWith($"reward kind judge: {url} cannot be reached: ", told, StringComparison.Ordinal);
        Assert.EndsWith("The judge's verdicts are the reward, so the run is not begun without it", told, StringComparison.Ordinal);
    }
}
