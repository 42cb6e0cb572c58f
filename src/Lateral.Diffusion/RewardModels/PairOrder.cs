using Lateral.Core;

namespace Lateral.Diffusion.RewardModels;

/// <summary>Which pairs an update learns from: all of them in a drawn order, then all again in another one. A pure function of seed and step, so that a training that goes on later sees the same.</summary>
internal sealed class PairOrder(int count, int batch, ulong seed)
{
    private readonly CounterRandom _random = new(seed);
    private long _pass = -1;
    private int[] _order = [];

    /// <param name="step">from 0</param>
    public int[] At(int step) => [.. Enumerable.Range(0, batch).Select(row => Place(((long)step * batch) + row))];

    private int Place(long n)
    {
        if (n / count != _pass)
        {
            _pass = n / count;
            _order = [.. Enumerable.Range(0, count).OrderBy(index => _random.Bits(RandomStream.Corpus, index, step: (int)(_pass & 0xFFFFF)))];
        }

        return _order[n % count];
    }
}
