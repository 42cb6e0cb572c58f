using System.Text.Json.Nodes;

namespace Lateral.Rewards.Judging;

/// <summary>Whom a judge reward asks, what, and how much that may cost. Ranges are those of <c>reward.kinds.judge</c>.</summary>
internal sealed record JudgeSettings
{
    /// <summary>What <c>/chat/completions</c> and <c>/models</c> are below, for example <c>http://localhost:8000/v1</c>.</summary>
    public required Uri Url { get; init; }

    public required string Model { get; init; }

    /// <summary>Null = the endpoint wants none.</summary>
    public BearerKey? Key { get; init; }

    /// <summary>Null = requests go straight to the endpoint, whatever the environment says of proxies.</summary>
    public Uri? Proxy { get; init; }

    public string Template { get; init; } = JudgeTemplate.BuiltIn;

    /// <summary>A file that the template is read from when it is first needed.</summary>
    public string? TemplateFile { get; init; }

    /// <summary>Null = one score for the whole.</summary>
    public Rubric? Rubric { get; init; }

    /// <summary>Whether the request carries the verdict's JSON schema.</summary>
    public bool Structured { get; init; } = true;

    /// <summary>Fields laid over the request's own; null takes one away.</summary>
    public JsonObject? Request { get; init; }

    public Scale Scale { get; init; } = new(0, 10);

    /// <summary>The value from which the part <c>answer</c> is 1; null = there is no such part.</summary>
    public double? PassMark { get; init; }

    public int MaxReplyTokens { get; init; } = 512;

    /// <summary>Attempts after the first.</summary>
    public int Retries { get; init; } = 3;

    public TimeSpan AttemptTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The mean wait before the first retry; each later one is twice as long.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The longest wait between attempts; an endpoint that asks for a longer one is not asked again.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Requests at once.</summary>
    public int InFlight { get; init; } = 8;

    /// <summary>0 = no limit.</summary>
    public long MaxRequests { get; init; }

    /// <summary>0 = no limit.</summary>
    public long MaxTokens { get; init; }

    public int CacheEntries { get; init; } = 10_000;

    /// <summary>Null = verdicts are kept in memory only.</summary>
    public string? CacheFile { get; init; }
}

/// <summary>What scores are given on. Invariant: Min &lt; Max, both finite.</summary>
internal readonly record struct Scale(double Min, double Max)
{
    /// <summary>0 for the worst score, 1 for the best.</summary>
    public double Share(double score) => (score - Min) / (Max - Min);

    public bool Has(double score) => score >= Min && score <= Max;
}
