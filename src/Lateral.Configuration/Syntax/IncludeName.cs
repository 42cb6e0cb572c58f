using System.Text.RegularExpressions;

namespace Lateral.Configuration;

/// <summary>What the quoted text of an include means.</summary>
internal static partial class IncludeName
{
    /// <summary>Why this text names no file that the loader reads; null when it does.</summary>
    public static string? Refusal(string name)
    {
        if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal)) return "include names no file - write include \"other.conf\"";
        if (Url().IsMatch(name)) return $"include of the URL {name} - only files are read - fetch it first, and write include file(\"other.conf\")";
        return name.EndsWith(".properties", StringComparison.Ordinal)
            ? $"include of {name} - Java properties files are not read - write their keys in a .conf file"
            : null;
    }

    /// <summary>The files that a name may mean; all that exist are read, in this order, HOCON last.</summary>
    public static IReadOnlyList<string> Candidates(string path) =>
        Path.GetExtension(path) is ".conf" or ".json" ? [path] : [path, path + ".json", path + ".conf"];

    /// <summary>The nearest configuration file in the folder where a missing one was looked for.</summary>
    public static string? Nearest(string missing)
    {
        const int enough = 1000;
        var folder = Path.GetDirectoryName(Path.GetFullPath(missing)) ?? "";
        if (!Directory.Exists(folder)) return null;
        var known = Directory.EnumerateFiles(folder, "*", new EnumerationOptions { IgnoreInaccessible = true }).Take(enough).Select(file => Path.GetFileName(file)!)
            .Where(name => Path.GetExtension(name) is ".conf" or ".json").Order(StringComparer.Ordinal).ToList();
        var name = Path.GetFileName(missing);
        if (Path.HasExtension(name)) return Suggestions.Closest(name, known);
        return Suggestions.Closest(name, known.Select(Path.GetFileNameWithoutExtension)!);
    }

    [GeneratedRegex("^(https?|ftp|file|jar|classpath):", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Url();
}
