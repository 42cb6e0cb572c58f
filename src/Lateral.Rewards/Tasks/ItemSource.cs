using System.Collections.Immutable;
using Lateral.Core;
using Lateral.Core.Prompts;

namespace Lateral.Rewards.Tasks;

/// <summary>Which side of the split an item is wanted for.</summary>
internal enum Side
{
    Train = 0,
    HeldOut = 1,
}

/// <summary>The random numbers of one attempt at one item: pure functions of (seed, stream, index, side, attempt, position).</summary>
internal readonly record struct Draws(CounterRandom Random, RandomStream Stream, long Index, Side Side, int Attempt)
{
    public int Below(int bound, int position) => Random.Below(bound, Stream, Index, (int)Side, Attempt, position);
}

/// <summary>Draws items by rejection: attempts of one index go on until the task accepts one for the wanted side of its split.</summary>
/// <param name="attempt">the item that the draws give, or null where it is refused or belongs to the other side</param>
internal sealed class ItemSource(CounterRandom random, Func<Draws, TaskItem?> attempt)
{
    /// <summary>Beyond this many refusals the settings leave (almost) nothing to draw.</summary>
    private const int Attempts = 20_000;

    /// <summary>How many times more candidates than prompts are tried before the held-out space counts as exhausted.</summary>
    private const int Oversampling = 50;

    public TaskItem Train(long ordinal) => First(RandomStream.Prompt, ordinal, Side.Train);

    public TaskItem Corpus(long index) => First(RandomStream.Corpus, index, Side.Train);

    /// <summary>The first <paramref name="count"/> distinct held-out prompts.</summary>
    /// <exception cref="TaskSettingException">the task has fewer, or nothing to train on</exception>
    public ImmutableArray<TaskItem> HeldOut(int count)
    {
        _ = Train(0);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var items = ImmutableArray.CreateBuilder<TaskItem>(count);
        for (long candidate = 0; items.Count < count; candidate++)
        {
            if (candidate >= (long)Oversampling * count)
            {
                throw new TaskSettingException(
                    "held-out-prompts",
                    $"task.held-out-prompts = {count}: these settings yield only {items.Count} distinct held-out prompts; lower it or widen the task");
            }

            var item = First(RandomStream.Prompt, candidate, Side.HeldOut);
            if (seen.Add(item.Prompt)) items.Add(item);
        }

        return items.MoveToImmutable();
    }

    private TaskItem First(RandomStream stream, long index, Side side)
    {
        for (var i = 0; i < Attempts; i++)
            if (attempt(new Draws(random, stream, index, side, i)) is { } item) return item;
        throw new TaskSettingException(
            "name", $"task: these settings leave no {(side == Side.Train ? "training" : "held-out")} prompt ({Attempts} draws were refused); widen them");
    }
}

/// <summary>Assigns one prompt in eight to the held-out side by a keyed hash of the prompt itself, so the sides are disjoint by construction.</summary>
internal static class KeyedSplit
{
    private const int HeldOutOneIn = 8;

    /// <summary>The sibling field of the split's own coordinates; the draws of items use 0 and 1.</summary>
    private const int Purpose = 2;

    /// <summary>By a hash of the prompt's text: which side it is on may depend on it in any way.</summary>
    public static Side SideOf(CounterRandom random, string prompt) => SideOf(random, prompt.Aggregate(0L, (sum, sign) => ((sum * 31) + sign) & ((1L << 47) - 1)));

    /// <param name="key">a number below 2^48 that identifies the prompt</param>
    public static Side SideOf(CounterRandom random, long key) =>
        random.Below(HeldOutOneIn, RandomStream.Prompt, key, Purpose) == 0 ? Side.HeldOut : Side.Train;
}
