using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Lateral.Core.Runs;

/// <summary>How bad it is.</summary>
public enum Verdict
{
    /// <summary>Everything moves; the chain says what the run is doing.</summary>
    Working,

    /// <summary>Nothing is broken, and one part keeps the others waiting.</summary>
    Bottleneck,

    /// <summary>It does not go on, or not for long, unless something is changed.</summary>
    Stuck,

    /// <summary>No process works on the run.</summary>
    Ended,
}

/// <summary>One link of the chain from who is idle to who is to blame.</summary>
/// <param name="Part">a name from <see cref="Parts"/>, or <c>run</c>, <c>process</c>, <c>disk</c></param>
/// <param name="Text">what it does or waits for, for example <c>waiting 41 s for batch 212 (11 of 16 groups)</c></param>
public sealed record DiagnosisLink(string Part, string Text)
{
    public override string ToString() => $"{Part}: {Text}";
}

/// <summary>Something to do about it.</summary>
/// <param name="Setting">the key to change, for example <c>reward.pools.answer.workers</c>; null where no setting helps</param>
public sealed record DiagnosisAdvice(string Text, string? Setting = null);

/// <summary>Why a run does what it does: a chain of waits from the idle end to the culprit, and what to change.</summary>
/// <param name="Chain">at least one link; the last is the culprit</param>
public sealed record Diagnosis(Verdict Verdict, ImmutableArray<DiagnosisLink> Chain, ImmutableArray<DiagnosisAdvice> Advice)
{
    public DiagnosisLink Culprit => Chain[^1];

    /// <summary>The chain in one line: <c>learner: waiting 41 s for batch 212 &lt;- reward pool answer: 5 in flight -&gt; raise ...</c>.</summary>
    [JsonIgnore]
    public string Line => string.Join(" <- ", Chain) + (Advice.IsEmpty ? "" : $" -> {string.Join(", or ", Advice.Select(advice => advice.Text))}");

    public static Diagnosis Of(Verdict verdict, string part, string text, params ReadOnlySpan<DiagnosisAdvice> advice) =>
        new(verdict, [new DiagnosisLink(part, text)], [.. advice]);

    /// <summary>The same culprit with one more part that waits for it in front.</summary>
    public Diagnosis Behind(string part, string text) => this with { Chain = Chain.Insert(0, new DiagnosisLink(part, text)) };
}
