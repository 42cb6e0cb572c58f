using System.Collections.Immutable;
using System.Text;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Actors.Serialization;

/// <summary>
/// Cuts lists of rollouts into messages. A message is bounded (<see cref="MessageSerializer"/>), a group is not: its size is
/// group size times length.
/// </summary>
internal static class Parcel
{
    /// <summary>What one message is filled to; a single larger item travels alone.</summary>
    public const int Bytes = 256 * 1024;

    /// <summary>As many items from the front as one message holds, at least one.</summary>
    public static ImmutableArray<T> First<T>(ImmutableArray<T> items, Func<T, int> sizeOf)
    {
        var (count, bytes) = (0, 0L);
        while (count < items.Length && (bytes += sizeOf(items[count])) <= Bytes) count++;
        return items[..Math.Min(items.Length, Math.Max(1, count))];
    }

    public static IEnumerable<ImmutableArray<T>> Split<T>(ImmutableArray<T> items, Func<T, int> sizeOf)
    {
        while (!items.IsEmpty)
        {
            var first = First(items, sizeOf);
            yield return first;
            items = items[first.Length..];
        }
    }

    /// <summary>An upper bound of the bytes in protobuf: five for an integer of any size, four for a float.</summary>
    public static int SizeOf(Trajectory trajectory) =>
        64 + 5 * (trajectory.Prompt.Length + trajectory.Tokens.Length + trajectory.RevealStep.Length + trajectory.RevealRank.Length + trajectory.MaskedDraws.Length + trajectory.Given.Length)
        + 4 * (trajectory.TokenLogProbs.Length + trajectory.SelectionLogProbs.Length + (trajectory.Surrogate?.Values.Length ?? 0)) + (trajectory.Surrogate?.Identity.Length ?? 0)
        + 64 * trajectory.Policies.Length + Encoding.UTF8.GetByteCount(trajectory.Text) + SizeOf(trajectory.Guesses);

    public static int SizeOf(RolloutInFlight begun) => SizeOf(begun.SoFar) + 16;

    public static int SizeOf(ScoredTrajectory scored) => SizeOf(scored.Trajectory) + 16 + 8 * scored.GuessRewards.Length + scored.Breakdown.Sum(part => 24 + Encoding.UTF8.GetByteCount(part.Key));

    public static int SizeOf(RewardRequest request) =>
        64 + 5 * request.Prompt.Tokens.Length + Encoding.UTF8.GetByteCount(request.Prompt.Text)
        + Encoding.UTF8.GetByteCount(request.Prompt.Reference) + Encoding.UTF8.GetByteCount(request.Completion) + SizeOf(request.Guesses);

    private static int SizeOf(ImmutableArray<string> texts) => texts.Sum(text => 6 + Encoding.UTF8.GetByteCount(text));
}
