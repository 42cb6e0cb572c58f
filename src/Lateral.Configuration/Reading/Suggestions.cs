namespace Lateral.Configuration;

/// <summary>Did you mean: the nearest known name by optimal string alignment distance (insert, delete, replace, swap neighbours).</summary>
public static class Suggestions
{
    /// <summary>The candidate nearest to <paramref name="name"/>, or null when even that one needs too many edits to be a slip.</summary>
    public static string? Closest(string name, IEnumerable<string> candidates)
    {
        // A third of the letters may be wrong, at most two: beyond that the suggestion confuses more than it helps.
        var best = Math.Min(Math.Clamp(name.Length / 3, 1, 2) + 1, name.Length);
        string? closest = null;
        foreach (var candidate in candidates)
        {
            if (Math.Abs(candidate.Length - name.Length) >= best || Distance(name, candidate) is var d && d >= best) continue;
            best = d;
            closest = candidate;
        }

        return closest;
    }

    /// <summary>Edits that turn <paramref name="a"/> into <paramref name="b"/>; case counts as no edit.</summary>
    public static int Distance(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        var before = new int[b.Length + 1];
        var last = new int[b.Length + 1];
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) last[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                row[j] = Math.Min(Math.Min(last[j] + 1, row[j - 1] + 1), last[j - 1] + cost);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1])) row[j] = Math.Min(row[j], before[j - 2] + 1);
            }

            (before, last, row) = (last, row, before);
        }

        return last[b.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
