using System.Collections.Immutable;
using Lateral.Core.Prompts;

namespace Lateral.Core.Rollouts;

/// <summary>Which positions of a rollout stand there from the start: a pure function of prompt, sibling and seed.</summary>
public static class HintedChunks
{
    /// <summary>The positions of the chunks that are given, ascending; none for a sibling without hints, or where no answer is known. One chunk is always left to be found.</summary>
    /// <param name="uniform">u(position) of the rollout: -1 decides its share, a chunk's first position whether it is given</param>
    public static ImmutableArray<int> Of(HintSpec? hints, Prompt prompt, int sibling, int genLength, Func<int, double> uniform)
    {
        if (hints is null || sibling >= hints.Rollouts) return [];
        var share = double.Lerp(hints.Least, hints.Most, uniform(-1));
        int[][] chunks = [.. Enumerable.Range(0, Math.Min(prompt.Solution.Length, genLength)).Chunk(hints.Chunk)];
        var given = chunks.Where(chunk => uniform(chunk[0]) < share).ToArray();
        return [.. (given.Length < chunks.Length ? given : given.Skip(1)).SelectMany(chunk => chunk)];
    }
}
