namespace Lateral.Rewards.Tests;

/// <summary>The keys of each reward kind with their defaults, as hocon/reference.conf has them; a key that is null is left out. Reads what that section has, lines of <c>kind {</c> and <c>key = value</c>, and no other HOCON.</summary>
internal static class ReferenceKinds
{
    private static readonly Dictionary<string, Dictionary<string, string>> Kinds = Read();

    public static Dictionary<string, string> Of(string kind, params (string Key, string Value)[] others)
    {
        var keys = new Dictionary<string, string>(Kinds[kind]);
        foreach (var (key, value) in others) keys[key] = value;
        return keys;
    }

    private static Dictionary<string, Dictionary<string, string>> Read()
    {
        var lines = File.ReadAllLines(Path.Combine(Root(), "hocon", "reference.conf")).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').SkipWhile(line => line != "reward {").SkipWhile(line => line != "kinds {").Skip(1);
        var kinds = new Dictionary<string, Dictionary<string, string>>();
        Dictionary<string, string>? current = null;
        foreach (var line in lines)
        {
            if (line.EndsWith("{}", StringComparison.Ordinal)) kinds[line[..^2].Trim()] = [];
            else if (line.EndsWith('{')) kinds[line[..^1].Trim()] = current = [];
            else if (line == "}" && current is null) return kinds;
            else if (line == "}") current = null;
            else if (line.Split('=', 2, StringSplitOptions.TrimEntries) is [var key, var value] && value != "null") current![key] = value.Trim('"');
        }

        throw new InvalidOperationException("reward.kinds does not end");
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Actors.sln"))) folder = folder.Parent ?? throw new InvalidOperationException("no Actors.sln above the tests");
        return folder.FullName;
    }
}
