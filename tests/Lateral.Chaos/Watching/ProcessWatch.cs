using System.Globalization;
using Lateral.Chaos.Deployment;

namespace Lateral.Chaos.Watching;

/// <summary>What a process held at one moment of its life.</summary>
/// <param name="Age">seconds since it was first looked at</param>
internal readonly record struct Holding(double Age, double MegaBytes, double Descriptors, double Threads);

/// <summary>Growth of one role's processes in a minute, the median of those that lived long enough to tell; null = none did.</summary>
internal sealed record Growth(string Node, int Lives, double? MegaBytes, double? Descriptors, double? Threads);

/// <summary>Memory, descriptors and threads of every node, once a second.</summary>
internal sealed class ProcessWatch : IAsyncDisposable
{
    /// <summary>Code is still being compiled and pools are filling before that.</summary>
    private const double WarmUp = 45, Shortest = 75;

    /// <summary>Seconds of which only the least counts: what is held between two collections is no growth.</summary>
    private const double Window = 15;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyCollection<KeptProcess> _nodes;
    private readonly Func<TimeSpan> _clock;
    private readonly Dictionary<(string Node, int Pid), List<Holding>> _held = [];
    private readonly Dictionary<(string, int), TimeSpan> _first = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _watching;

    public ProcessWatch(IReadOnlyCollection<KeptProcess> nodes, Func<TimeSpan> clock)
    {
        (_nodes, _clock) = (nodes, clock);
        _watching = WatchAsync();
    }

    /// <summary>After the watch is over.</summary>
    public IEnumerable<Growth> Growths() => _nodes.Select(node =>
    {
        var lives = _held.Where(pair => pair.Key.Node == node.Name && pair.Value[^1].Age >= WarmUp + Shortest).Select(pair => Floors(pair.Value.Where(held => held.Age >= WarmUp))).ToList();
        return new Growth(node.Name, lives.Count, Median(held => held.MegaBytes), Median(held => held.Descriptors), Median(held => held.Threads));

        double? Median(Func<Holding, double> figure)
        {
            var slopes = lives.Select(life => 60 * Slope(life, figure)).Order().ToList();
            return slopes.Count == 0 ? null : slopes[slopes.Count / 2];
        }
    });

    private static List<Holding> Floors(IEnumerable<Holding> life) =>
        [.. life.GroupBy(held => (int)(held.Age / Window)).Select(window => new Holding(window.Average(held => held.Age), window.Min(held => held.MegaBytes), window.Min(held => held.Descriptors), window.Min(held => held.Threads)))];

    /// <summary>Idempotent.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_watching.IsCompletedSuccessfully) return;
        await _stopping.CancelAsync();
        await _watching;
        _stopping.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            foreach (var node in _nodes)
            {
                if (node.Pid is not { } pid || Look(pid) is not var (memory, descriptors, threads)) continue;
                var key = (node.Name, pid);
                _first.TryAdd(key, _clock());
                if (!_held.TryGetValue(key, out var held)) _held[key] = held = [];
                held.Add(new Holding((_clock() - _first[key]).TotalSeconds, memory, descriptors, threads));
            }

            await Task.Delay(Pause, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>null when it has just ended</returns>
    private static (double MegaBytes, double Descriptors, double Threads)? Look(int pid)
    {
        try
        {
            var status = File.ReadLines($"/proc/{pid}/status").Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0], pair => pair[1].Trim());
            if (!status.TryGetValue("VmRSS", out var memory)) return null;
            return (Number(memory.Split(' ')[0]) / 1024, Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").Count(), Number(status["Threads"]));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static double Number(string text) => double.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>Least squares.</summary>
    private static double Slope(List<Holding> life, Func<Holding, double> figure)
    {
        var (x, y) = (life.Average(held => held.Age), life.Average(figure));
        return life.Sum(held => (held.Age - x) * (figure(held) - y)) / life.Sum(held => (held.Age - x) * (held.Age - x));
    }
}
