using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace Lateral.Rewards.Judging;

/// <summary>
/// Asks until there is a verdict or patience ends: exponential waits with jitter, or as long as the endpoint asks for; a deadline for each attempt; and no more
/// than <c>in-flight</c> attempts at once. Who waits between attempts or for a turn holds nothing.
/// </summary>
/// <remarks>
/// There is no circuit breaker here: the pool has one that sees every verifier's faults, holds all work while it is open and lets one rollout through every two
/// seconds. A second one would refuse that rollout without asking the endpoint, and so keep the first one open.
/// </remarks>
internal sealed class JudgePatience : IDisposable
{
    private readonly JudgeSettings _settings;
    private readonly SemaphoreSlim _turns;
    private readonly ResiliencePipeline<JudgeAttempt> _retries;
    private readonly ResiliencePipeline _deadline;

    public JudgePatience(JudgeSettings settings)
    {
        _settings = settings;
        _turns = new SemaphoreSlim(settings.InFlight);
        _deadline = new ResiliencePipelineBuilder().AddTimeout(settings.AttemptTime).Build();
        _retries = settings.Retries == 0
            ? ResiliencePipeline<JudgeAttempt>.Empty
            : new ResiliencePipelineBuilder<JudgeAttempt>().AddRetry(new RetryStrategyOptions<JudgeAttempt>
            {
                MaxRetryAttempts = settings.Retries,
                Delay = settings.Backoff,
                MaxDelay = settings.LongestWait,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = new PredicateBuilder<JudgeAttempt>().HandleResult(attempt => attempt.Again),
                DelayGenerator = arguments => ValueTask.FromResult(arguments.Outcome.Result?.Wait),
            }).Build();
    }

    public void Dispose() => _turns.Dispose();

    /// <param name="once">one attempt by its number (0, 1, 2, ...)</param>
    public async Task<JudgeAttempt> AskAsync(Func<int, CancellationToken, Task<JudgeAttempt>> once, CancellationToken cancellation)
    {
        var attempts = 0;
        var last = await _retries.ExecuteAsync(async token => await InTurnAsync(inner => once(attempts++, inner), token).ConfigureAwait(false), cancellation).ConfigureAwait(false);
        return last.Fault is { } fault && attempts > 1 ? last with { Fault = $"{fault} (attempt {attempts} of {_settings.Retries + 1})" } : last;
    }

    private async Task<JudgeAttempt> InTurnAsync(Func<CancellationToken, Task<JudgeAttempt>> once, CancellationToken cancellation)
    {
        await _turns.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await _deadline.ExecuteAsync(async token => await once(token).ConfigureAwait(false), cancellation).ConfigureAwait(false);
        }
        catch (TimeoutRejectedException)
        {
            return JudgeAttempt.Retry(FormattableString.Invariant($"{_settings.Url.GetLeftPart(UriPartial.Path)} gave no answer within attempt-seconds = {_settings.AttemptTime.TotalSeconds}"));
        }
        finally
        {
            _turns.Release();
        }
    }
}
