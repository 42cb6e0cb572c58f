using System.Globalization;
using Lateral.Chaos.Deployment;

namespace Lateral.Chaos.Verdicts;

/// <summary>What should be gone once every node has stopped.</summary>
internal static class Leftovers
{
    private static readonly string[] Temporary = ["*.tmp", "*.old", "*.part"];

    /// <summary>Processes that carry this soak's mark, whoever their parent is now.</summary>
    public static Check Orphans()
    {
        var mark = string.Create(CultureInfo.InvariantCulture, $"{Cluster.Mark}={Environment.ProcessId}");
        var found = Directory.EnumerateDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out _)).Count(Carries);
        return Correctness.Zero("orphan processes", found);

        bool Carries(string folder)
        {
            try
            {
                return File.ReadAllText(Path.Combine(folder, "environ")).Split('\0').Contains(mark);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    public static Check Files(string root)
    {
        var found = Temporary.SelectMany(pattern => Directory.EnumerateFileSystemEntries(root, pattern, SearchOption.AllDirectories)).Select(path => Path.GetRelativePath(root, path)).ToList();
        return Correctness.Zero("stale temporary files", found.Count) with { Value = found.Count == 0 ? "0" : $"{found.Count}: {string.Join(", ", found.Take(3))}" };
    }
}
