using System.Collections.Immutable;

namespace Lateral.Node.Runs;

/// <summary>An evaluation of one policy version.</summary>
public sealed record EvaluationPoint(int Step, ImmutableSortedDictionary<string, double> Metrics);
