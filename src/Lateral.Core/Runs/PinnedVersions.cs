using System.Globalization;

namespace Lateral.Core.Runs;

/// <summary>
/// Versions that a run would go on from if its journal had to be restored from the copy in the run directory: their checkpoints
/// and policies outlive every pruning. Empty where the journal itself is in the run directory.
/// </summary>
public static class PinnedVersions
{
    private const string FileName = "journal-backup.versions";

    public static IReadOnlySet<int> Read(string runDirectory)
    {
        var path = Path.Combine(runDirectory, FileName);
        return File.Exists(path) ? File.ReadLines(path).Select(line => int.Parse(line, CultureInfo.InvariantCulture)).ToHashSet() : new HashSet<int>();
    }

    public static void Write(string runDirectory, IEnumerable<int> versions) =>
        DurableFile.WriteText(Path.Combine(runDirectory, FileName), string.Concat(versions.Distinct().Order().Select(version => string.Create(CultureInfo.InvariantCulture, $"{version}\n"))));
}
