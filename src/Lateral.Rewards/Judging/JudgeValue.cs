using System.Collections.Immutable;
using Lateral.Core.Rewards;

namespace Lateral.Rewards.Judging;

/// <summary>What a judge said. Example: <c>{ score = 7 }</c>, or <c>{ style = 4, truth = 8 }</c> with a rubric.</summary>
/// <param name="Scores">as given, on the scale of the question</param>
internal sealed record Verdict(ImmutableSortedDictionary<string, double> Scores, string Reason);

/// <summary>
/// From verdict to reward: scores become shares of their scale, a rubric's are averaged by weight. Parts: <c>score</c>, or one for each criterion, as
/// shares; and <c>answer</c> (1 or 0) where there is a pass mark.
/// </summary>
internal sealed class JudgeValue(JudgeSettings settings)
{
    public const string AnswerPart = "answer", ScorePart = "score";

    /// <summary>The names that a verdict has scores for.</summary>
    public ImmutableArray<string> Names { get; } = settings.Rubric is { } rubric ? [.. rubric.Criteria.Select(criterion => criterion.Name)] : [ScorePart];

    /// <summary>False for a verdict of another question, which only a file that somebody edited can hold.</summary>
    public bool Fits(Verdict verdict) => verdict.Scores.Count == Names.Length && Names.All(name => verdict.Scores.TryGetValue(name, out var score) && settings.Scale.Has(score));

    public RewardOutcome.Scored Of(Verdict verdict)
    {
        var parts = verdict.Scores.Select(score => KeyValuePair.Create(score.Key, settings.Scale.Share(score.Value))).ToImmutableSortedDictionary(StringComparer.Ordinal);
        var value = settings.Rubric?.Mean(name => parts[name]) ?? parts[ScorePart];
        return new RewardOutcome.Scored(value, settings.PassMark is { } mark ? parts.Add(AnswerPart, value >= mark ? 1 : 0) : parts);
    }
}
