using System.Globalization;
using Lateral.Actors.Rollouts;
using Lateral.Actors.Runs;
using Lateral.Core.Runs;

namespace Lateral.Simulation.Tests.Machine;

/// <summary>What happened: a hash over all of it, and the last entries in words.</summary>
internal sealed class Trace
{
    private const int Kept = 120;

    private readonly Queue<Entry> _last = new(Kept + 1);

    /// <summary>Equal for equal runs.</summary>
    public ulong Hash { get; private set; }

    /// <summary>How often each kind of thing happened.</summary>
    public SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    public void Mix(long a, long b) => Hash = Dice.Scramble(Hash ^ (ulong)a * 0x9E3779B97F4A7C15 ^ (ulong)b);

    /// <param name="what">a message or an event; only its type and its group count for the hash, the rest is for reading</param>
    public void Add(long now, string kind, string where, object? what = null)
    {
        Counts[kind] = Counts.GetValueOrDefault(kind) + 1;
        Mix(now, (what as IGroupMessage)?.Group ?? 0);
        Mix(HashOf(kind), HashOf(where));
        Mix(HashOf(what?.GetType().Name ?? ""), 0);
        // What parts say of themselves every second would crowd out what they do.
        if (what is PartStatus or LedgerStatus or RunProtocol.SamplerReport) return;
        _last.Enqueue(new Entry(now, kind, where, what));
        if (_last.Count > Kept) _last.Dequeue();
    }

    public IEnumerable<string> Last(int count) => _last.TakeLast(count).Select(entry => entry.ToString());

    /// <summary>FNV-1a; String.GetHashCode differs from process to process.</summary>
    private static long HashOf(string text)
    {
        var hash = 14695981039346656037;
        foreach (var letter in text) hash = (hash ^ letter) * 1099511628211;
        return (long)hash;
    }

    private readonly record struct Entry(long Now, string Kind, string Where, object? What)
    {
        public override string ToString()
        {
            var what = What?.ToString() ?? "";
            return string.Create(CultureInfo.InvariantCulture, $"{TimeSpan.FromTicks(Now).TotalSeconds,9:0.000}  {Kind,-10} {Where}  {(what.Length > 200 ? what[..200] + "..." : what)}");
        }
    }
}
