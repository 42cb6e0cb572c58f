namespace Lateral.Rewards;

/// <summary>The message for a name that nothing is registered under.</summary>
internal static class KnownNames
{
    /// <summary>Example: <c>unknown task 'sort4'; did you mean 'sort5'? Known: sort5, sort6, sudoku, countdown, multiply, order, serial</c>.</summary>
    public static string Unknown(string what, string name, IReadOnlyList<string> known)
    {
        var nearest = known.MinBy(candidate => Distance(name, candidate))!;
        var advice = Distance(name, nearest) <= Math.Max(2, name.Length / 3) ? $"; did you mean '{nearest}'?" : ".";
        return $"unknown {what} '{name}'{advice} Known: {string.Join(", ", known)}";
    }

    /// <summary>Levenshtein distance: insertions, deletions and replacements, one each.</summary>
    internal static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }
}
