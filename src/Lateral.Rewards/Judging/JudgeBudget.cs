namespace Lateral.Rewards.Judging;

/// <summary>
/// What a judge may cost in this process. Invariant: requests begun never exceed their limit. Tokens are known when an answer is there: no request is begun
/// once they are used up, so that at most those in flight come on top.
/// </summary>
internal sealed class JudgeBudget(long maxRequests, long maxTokens)
{
    /// <summary>Letters of English text in a token, roughly; for endpoints that do not count.</summary>
    private const int LettersPerToken = 4;

    private readonly Lock _lock = new();
    private long _requests;
    private long _tokens;

    public (long Requests, long Tokens) Used
    {
        get
        {
            lock (_lock) return (_requests, _tokens);
        }
    }

    /// <summary>Takes one request.</summary>
    /// <returns>null, or why there may be none</returns>
    public string? Take()
    {
        lock (_lock)
        {
            if (maxRequests > 0 && _requests >= maxRequests) return Spent($"max-requests = {maxRequests}");
            if (maxTokens > 0 && _tokens >= maxTokens) return Spent($"max-tokens = {maxTokens} ({_tokens} so far)");
            _requests++;
            return null;
        }
    }

    /// <param name="tokens">as counted by the endpoint; null = estimated from the letters that went and came</param>
    public void Spend(long? tokens, long letters)
    {
        lock (_lock) _tokens += tokens ?? (letters + LettersPerToken - 1) / LettersPerToken;
    }

    private static string Spent(string limit) => $"the budget of this process is used up: {limit} - resume the run with a higher one (0 = no limit); with cache-file nothing that was judged is asked again";
}
