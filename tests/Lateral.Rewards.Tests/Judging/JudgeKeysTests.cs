using Lateral.Rewards.Judging;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Tests.Judging;

public sealed class JudgeKeysTests
{
    [Theory]
    [InlineData("url", null, "url is missing: reward kind judge needs it")]
    [InlineData("url", "localhost:8000", "url = localhost:8000: must be an http or https address, for example http://localhost:8000/v1")]
    [InlineData("url", "https://me:pass@host/v1", "url must be an address without a user or a password - an endpoint's key goes into api-key")]
    [InlineData("proxy", "socks://host", "proxy = socks://host: must be an http or https address, for example http://localhost:8000/v1")]
    [InlineData("model", null, "model is missing: reward kind judge needs it")]
    [InlineData("api-key", "", "api-key is empty: set the variable that it is read from, or leave the key out")]
    [InlineData("api-key", "sk-hush\r\nX: y", "api-key has a space, a line break or a letter beyond ASCII, which no header carries: look at how its variable was set")]
    [InlineData("template", "How good?", "template must be text with {completion} where the answer to judge stands, and {prompt} and {reference} where wanted")]
    [InlineData("rubric", "truth", "rubric: line 1 is 'truth' - write name weight: question, for example truth 3: Is every statement true?")]
    [InlineData("request", "[]", "request = []: must be a JSON object, for example \"\"\"{\"top_p\": 1}\"\"\"")]
    [InlineData("request", "{\"stream\": true}", "request may not hold stream: it has a key of its own or is the judge's business")]
    [InlineData("structured", "yes", "structured = yes: must be on or off")]
    [InlineData("scale-max", "0", "scale-max = 0: must be above scale-min = 0")]
    [InlineData("scale-min", "NaN", "scale-min = NaN: must be -1000000 to 1000000, the worst score")]
    [InlineData("pass-mark", "2", "pass-mark = 2: must be 0 to 1, a part of the full reward")]
    [InlineData("retries", "-1", "retries = -1: must be a whole number, 0 to 100, attempts after the first")]
    [InlineData("attempt-seconds", "0", "attempt-seconds = 0: must be 0.01 to 3600, seconds for one attempt")]
    [InlineData("in-flight", "0", "in-flight = 0: must be a whole number, 1 to 4,096, requests at once")]
    [InlineData("max-tokens", "-5", "max-tokens = -5: must be a whole number, 0 to 1,000,000,000,000, tokens in this process, 0 = no limit")]
    [InlineData("temperature", "1", "temperature is no key of reward kind judge")]
    public void Wrong_key_must_be_named_with_its_bound(string key, string? value, string message)
    {
        var error = Assert.Throws<RewardSettingException>(() => VerifierRegistry.Create("judge", Judges.Keys("http://127.0.0.1:9/v1", (key, value))));
        Assert.Equal((key, message), (error.Key, error.Message));
    }

    [Fact]
    public void Keys_that_exclude_each_other_must_be_refused()
    {
        Assert.Equal("template-file = t: must be left out where template is there", Message(("template", "{completion}"), ("template-file", "t")));
        Assert.Equal("cache-file = v: must be left out with cache-entries = 0, which keeps nothing", Message(("cache-file", "v"), ("cache-entries", "0")));
        Assert.StartsWith("request must be a JSON object, for example", Message(("request", "{\"a\": 1, \"a\": 2}")), StringComparison.Ordinal);
    }

    [Fact]
    public void Key_must_be_hidden_by_whatever_prints_it()
    {
        var settings = JudgeMaker.Settings(new VerifierKeys("judge", Judges.Keys("http://127.0.0.1:9/v1", ("api-key", Judges.Key))));
        Assert.DoesNotContain("secret", settings.ToString(), StringComparison.Ordinal);
        Assert.Equal($"Bearer {Judges.Key}", settings.Key!.Header.ToString());
    }

    private static string Message(params (string, string?)[] keys) => Assert.Throws<RewardSettingException>(() => VerifierRegistry.Create("judge", Judges.Keys("http://127.0.0.1:9/v1", keys))).Message;
}
