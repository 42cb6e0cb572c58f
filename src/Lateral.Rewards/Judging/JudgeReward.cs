using Lateral.Core.Rewards;

namespace Lateral.Rewards.Judging;

/// <summary>
/// A reward that another model gives (RLAIF, arXiv 2309.00267; judging by a scale or criteria after arXiv 2306.05685). A verdict is a number on its scale; what
/// is no verdict is the judge's fault and never a number, so that no rollout is paid or punished for a judge that failed.
/// </summary>
/// <remarks>Making one touches neither disk nor network: files are read and connections opened by the first question or by <see cref="PrepareAsync"/>.</remarks>
internal sealed class JudgeReward : IPreparedReward, IDisposable
{
    private readonly JudgeSettings _settings;
    private readonly JudgeValue _value;
    private readonly VerdictReader _reader;
    private readonly JudgeClient _client;
    private readonly JudgePatience _patience;
    private readonly VerdictCache? _cache;
    private readonly SharedCalls<JudgeAttempt> _calls = new();
    private volatile JudgeQuestions? _questions;

    /// <summary>
    /// Whether the last question failed. Until one is answered, even what is known is asked once more: the pool tries one rollout to see whether its verifier
    /// works again, and a verdict from memory would say so of an endpoint that is still away.
    /// </summary>
    private volatile bool _failing;

    public JudgeReward(JudgeSettings settings)
    {
        (_settings, _value) = (settings, new JudgeValue(settings));
        _reader = new VerdictReader(_value.Names, settings.Scale, settings.Rubric is not null);
        (_client, _patience) = (new JudgeClient(settings), new JudgePatience(settings));
        Budget = new JudgeBudget(settings.MaxRequests, settings.MaxTokens);
        if (settings.CacheEntries > 0) _cache = new VerdictCache(settings.CacheEntries, settings.CacheFile is { } path ? new VerdictFile(path) : null);
    }

    public JudgeBudget Budget { get; }

    /// <summary>Questions being asked.</summary>
    public int Asking => _calls.Count;

    public void Dispose()
    {
        _client.Dispose();
        _patience.Dispose();
    }

    public Task PrepareAsync(CancellationToken cancellation) => new JudgeProbe(_settings, _client, _patience, this).RunAsync(cancellation);

    public async ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellation.ThrowIfCancellationRequested();
        try
        {
            var question = Questions().Of(request.Prompt.Text, request.Prompt.Reference, request.Completion);
            if (_cache is not null) await _cache.OpenAsync(cancellation).ConfigureAwait(false);
            if (!_failing && Known(question) is { } known) return _value.Of(known);
            var attempt = await _calls.JoinAsync(question.Key, token => AskAsync(question, token), cancellation).ConfigureAwait(false);
            _failing = attempt.Verdict is null;
            return attempt.Verdict is { } verdict ? _value.Of(verdict) : new RewardOutcome.InfraFault($"judge: {attempt.Fault}");
        }
        catch (JudgeFileException broken)
        {
            _failing = true;
            return new RewardOutcome.InfraFault($"judge: {broken.Message}");
        }
        catch (OperationCanceledException)
        {
            // The deadline: nobody answered.
            _failing = true;
            throw;
        }
    }

    private Verdict? Known(JudgeQuestion question) => _cache?.Find(question.Key) is { } known && _value.Fits(known) ? known : null;

    private async Task<JudgeAttempt> AskAsync(JudgeQuestion question, CancellationToken cancellation)
    {
        // Looked for again: another call may have brought it between the first look and this one's beginning.
        var known = Known(question);
        if (known is not null && !_failing) return JudgeAttempt.Answered(known);
        var attempt = await _patience.AskAsync((number, token) => AskOnceAsync(question.Body(number), token), cancellation).ConfigureAwait(false);
        if (attempt.Verdict is not { } verdict || _cache is null) return attempt;
        if (known is null) await _cache.AddAsync(question.Key, verdict, cancellation).ConfigureAwait(false);
        else await _cache.ProveAsync(cancellation).ConfigureAwait(false);
        return JudgeAttempt.Answered(known ?? verdict);
    }

    private async Task<JudgeAttempt> AskOnceAsync(string body, CancellationToken cancellation)
    {
        if (Budget.Take() is { } spent) return JudgeAttempt.Refused(spent);
        var received = await _client.AskAsync(body, cancellation).ConfigureAwait(false);
        if (received.Body is not { } bytes) return received.Failure!;
        var reply = JudgeReply.Read(bytes);
        Budget.Spend(reply.Tokens, body.Length + (reply.Text?.Length ?? 0));
        if (reply.Text is not { } text) return Unreadable(reply.Mistake!);
        var (verdict, mistake) = _reader.Read(text);
        return verdict is not null ? JudgeAttempt.Answered(verdict) : Unreadable(mistake!);
    }

    private JudgeAttempt Unreadable(string mistake) => JudgeAttempt.Retry($"{_settings.Model} gave no verdict: {_settings.Key?.Hide(mistake) ?? mistake}");

    /// <exception cref="JudgeFileException">one of its files cannot be used</exception>
    internal async Task ProveFilesAsync(CancellationToken cancellation)
    {
        _ = Questions();
        if (_cache is not null) await _cache.ProveAsync(cancellation).ConfigureAwait(false);
    }

    /// <exception cref="JudgeFileException">the template's file cannot be used</exception>
    private JudgeQuestions Questions()
    {
        if (_questions is { } known) return known;
        var text = _settings.Template;
        if (_settings.TemplateFile is { } path)
        {
            try
            {
                text = File.ReadAllText(path);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new JudgeFileException($"template-file = {path} cannot be read: {error.Message}", error);
            }

            if (JudgeTemplate.Mistake(text) is { } mistake) throw new JudgeFileException($"template-file = {path} must be {mistake}");
        }

        return _questions = new JudgeQuestions(_settings, new JudgeTemplate(text));
    }
}
