using System.Collections.Immutable;

namespace Lateral.Node.Runs;

/// <summary>An evaluation of one policy version.</summary>
public sealed record EvaluationPoint(int Step, ImmutableSortedDictionary<string, double> Metrics)
{
    /// <summary>What the majority of so many samples answered; followed by their number.</summary>
    public const string VoteMetric = "eval/vote_at_";
}
