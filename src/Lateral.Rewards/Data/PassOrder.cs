using Lateral.Core;

namespace Lateral.Rewards.Data;

/// <summary>
/// The order of rows, pass by pass: item n is of pass n / count, and each pass has every row once. A pure function of (seed,
/// stream, n), so a run that is resumed needs no cursor but its ordinal.
/// </summary>
/// <param name="shuffled">off = the file's order in every pass</param>
internal sealed class PassOrder(CounterRandom random, int stream, int count, bool shuffled)
{
    private readonly Lock _gate = new();
    // Two passes: groups of the end of one and of the begin of the next are asked for by turns.
    private readonly (long Pass, int[] Rows)[] _kept = [(-1, []), (-1, [])];

    public int RowOf(long ordinal)
    {
        var (pass, place) = Math.DivRem(ordinal, count);
        return shuffled ? Rows(pass)[place] : (int)place;
    }

    private int[] Rows(long pass)
    {
        lock (_gate)
        {
            ref var kept = ref _kept[pass % 2];
            if (kept.Pass != pass) kept = (pass, Shuffled(pass));
            return kept.Rows;
        }
    }

    /// <summary>Fisher-Yates.</summary>
    private int[] Shuffled(long pass)
    {
        int[] rows = [.. Enumerable.Range(0, count)];
        for (var i = count - 1; i > 0; i--)
        {
            // A counter's position has 24 bits; what is above them goes into its step.
            var other = random.Below(i + 1, RandomStream.Shuffle, pass, stream, step: i >> 24, position: i & 0xFF_FFFF);
            (rows[i], rows[other]) = (rows[other], rows[i]);
        }

        return rows;
    }
}
