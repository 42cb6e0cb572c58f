namespace Lateral.Configuration;

/// <summary>
/// Collects every mistake of one load. Invariants: no error is listed twice; at most <see cref="Limit"/> are kept, because a
/// binary file given by accident would otherwise bury its own first line.
/// </summary>
internal sealed class Diagnostics
{
    public const int Limit = 200;

    private readonly List<ConfigError> _errors = [];
    private readonly HashSet<ConfigError> _seen = [];
    private readonly Dictionary<string, int> _sources = new(StringComparer.Ordinal);

    public bool Any => _errors.Count > 0;

    public int Count => _errors.Count;

    /// <summary>Braces or brackets do not pair up: which key belongs to which section is then guesswork, and later phases must not run.</summary>
    public bool StructureBroken { get; private set; }

    public void Report(Origin origin, string message)
    {
        var error = new ConfigError(origin, Shortened(message));
        if (_errors.Count >= Limit || !_seen.Add(error)) return;
        _sources.TryAdd(origin.Source, _sources.Count);
        _errors.Add(_errors.Count == Limit - 1 ? new ConfigError(origin, $"more than {Limit} errors - fix the ones above first") : error);
    }

    /// <summary>A message that quotes a line of a binary file keeps its beginning and its advice.</summary>
    private static string Shortened(string message) => message.Length <= 800 ? message : $"{message[..500]} ... {message[^200..]}";

    public void ReportStructure(Origin origin, string message)
    {
        StructureBroken = true;
        Report(origin, message);
    }

    /// <summary>The errors file by file, each from top to bottom.</summary>
    public IReadOnlyList<ConfigError> Sorted() =>
        [.. _errors.OrderBy(e => _sources[e.Origin.Source]).ThenBy(e => e.Origin.Line).ThenBy(e => e.Origin.Column)];
}
