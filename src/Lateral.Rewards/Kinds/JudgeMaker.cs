using System.Text.Json;
using System.Text.Json.Nodes;
using Lateral.Core.Rewards;
using Lateral.Rewards.Judging;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Kinds;

/// <summary>Reads the keys of <c>reward.kinds.judge</c>.</summary>
internal static class JudgeMaker
{
    public static IReward Make(VerifierKeys keys) => new JudgeReward(Settings(keys));

    internal static JudgeSettings Settings(VerifierKeys keys)
    {
        var settings = new JudgeSettings
        {
            Url = Address(keys, "url", keys.Text("url")),
            Model = keys.Text("model"),
            Key = Key(keys),
            Proxy = keys.Optional("proxy") is { } proxy ? Address(keys, "proxy", proxy) : null,
            Template = Template(keys) ?? JudgeTemplate.BuiltIn,
            TemplateFile = keys.Optional("template-file"),
            Rubric = RubricOf(keys),
            Structured = keys.Switch("structured"),
            Request = Request(keys),
            Scale = new Scale(keys.Number("scale-min", -1e6, 1e6, "the worst score"), keys.Number("scale-max", -1e6, 1e6, "the best score")),
            PassMark = keys.Optional("pass-mark") is null ? null : keys.Fraction("pass-mark"),
            MaxReplyTokens = keys.Int("max-reply-tokens", 1, 1_000_000, "tokens of one verdict"),
            Retries = keys.Int("retries", 0, 100, "attempts after the first"),
            AttemptTime = Seconds(keys, "attempt-seconds", .01, "for one attempt"),
            Backoff = Seconds(keys, "backoff-seconds", .001, "before the first retry"),
            LongestWait = Seconds(keys, "longest-wait-seconds", .001, "between attempts"),
            InFlight = keys.Int("in-flight", 1, 4096, "requests at once"),
            MaxRequests = keys.Int("max-requests", 0, int.MaxValue, "requests in this process, 0 = no limit"),
            MaxTokens = keys.Long("max-tokens", 0, 1_000_000_000_000, "tokens in this process, 0 = no limit"),
            CacheEntries = keys.Int("cache-entries", 0, 100_000_000, "verdicts kept in memory"),
            CacheFile = keys.Optional("cache-file"),
        };
        if (settings.TemplateFile is not null && keys.Optional("template") is not null) throw keys.Wrong("template-file", "left out where template is there");
        if (settings.Scale.Max <= settings.Scale.Min) throw keys.Wrong("scale-max", FormattableString.Invariant($"above scale-min = {settings.Scale.Min}"));
        if (settings.CacheFile is not null && settings.CacheEntries == 0) throw keys.Wrong("cache-file", "left out with cache-entries = 0, which keeps nothing");
        return settings;
    }

    /// <summary>The value is never repeated: it is a secret.</summary>
    private static BearerKey? Key(VerifierKeys keys)
    {
        if (keys.Optional("api-key") is not { } text) return null;
        return BearerKey.Mistake(text) is { } mistake ? throw new RewardSettingException("api-key", $"api-key {mistake}") : new BearerKey(text);
    }

    private static Uri Address(VerifierKeys keys, string key, string text)
    {
        // Not repeated either where it may hold a password.
        if (text.Contains('@', StringComparison.Ordinal)) throw new RewardSettingException(key, $"{key} must be an address without a user or a password - an endpoint's key goes into api-key");
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.Fragment.Length == 0
            ? address
            : throw keys.Wrong(key, "an http or https address, for example http://localhost:8000/v1");
    }

    private static string? Template(VerifierKeys keys) =>
        keys.Optional("template") is not { } text ? null : JudgeTemplate.Mistake(text) is { } mistake ? throw new RewardSettingException("template", $"template must be {mistake}") : text;

    private static Rubric? RubricOf(VerifierKeys keys)
    {
        if (keys.Optional("rubric") is not { } text) return null;
        var (rubric, mistake) = Rubric.Parse(text);
        return rubric ?? throw new RewardSettingException("rubric", $"rubric: {mistake}");
    }

    private static JsonObject? Request(VerifierKeys keys)
    {
        if (keys.Optional("request") is not { } text) return null;
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException error)
        {
            throw new RewardSettingException("request", $"request must be a JSON object, for example \"\"\"{{\"top_p\": 1}}\"\"\": {error.Message}");
        }

        if (node is not JsonObject fields) throw keys.Wrong("request", "a JSON object, for example \"\"\"{\"top_p\": 1}\"\"\"");
        return JudgeQuestions.Fixed.FirstOrDefault(fields.ContainsKey) is { } own ? throw new RewardSettingException("request", $"request may not hold {own}: it has a key of its own or is the judge's business") : fields;
    }

    private static TimeSpan Seconds(VerifierKeys keys, string key, double least, string what) => TimeSpan.FromSeconds(keys.Number(key, least, 3600, $"seconds {what}"));
}
