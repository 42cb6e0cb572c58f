namespace Lateral.Node.Tests.BrokenFiles;

/// <summary>One mistake that must be told: <c>typo-key.conf:3:3 | unknown key rollout.gruop-size | did you mean rollout.group-size?</c></summary>
/// <param name="Place"><c>file:line:col</c>; without line and column in reference.conf; <c>*</c> where a message names a key only</param>
internal sealed record ExpectedMistake(string Place, IReadOnlyList<string> Phrases)
{
    public bool IsToldBy(string place, string message) =>
        (Place == "*" || Place == place || (Place == "reference.conf" && place.StartsWith(Place, StringComparison.Ordinal)))
        && Phrases.All(phrase => message.Contains(phrase, StringComparison.Ordinal));
}

/// <summary>A command line with broken files, and every mistake that must be told of it.</summary>
internal sealed record BrokenFile(string Name, IReadOnlyList<ExpectedMistake> Mistakes)
{
    public IReadOnlyList<string> Words { get; } = Name.Split(' ');

    public static IReadOnlyList<BrokenFile> Read(string table)
    {
        var files = new List<(string Name, List<ExpectedMistake> Mistakes)>();
        foreach (var line in File.ReadLines(table).Where(line => line.Length > 0 && line[0] != '#'))
        {
            if (!char.IsWhiteSpace(line[0]))
            {
                files.Add((line, []));
                continue;
            }

            var parts = line.Trim().Split(" | ");
            files[^1].Mistakes.Add(new ExpectedMistake(parts[0], parts[1..]));
        }

        return [.. files.Select(file => new BrokenFile(file.Name, file.Mistakes))];
    }

    /// <summary>The arguments as a user in that folder would give them; what follows --set is a setting.</summary>
    public string[] Arguments(string folder) =>
        [.. Words.Select((word, i) => word.StartsWith("--", StringComparison.Ordinal) || (i > 0 && Words[i - 1] == "--set") ? word : Path.Combine(folder, word))];

    /// <summary>Each expected mistake is told, no other place is named, and nothing looks like a stack trace.</summary>
    public void AssertToldBy(string error)
    {
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("xception", error, StringComparison.Ordinal);
        var told = error.TrimEnd().Split('\n').Select(Split).ToList();
        Assert.All(Mistakes, mistake => Assert.True(told.Exists(t => mistake.IsToldBy(t.Place, t.Message)), $"not told: {mistake.Place} {string.Join(" | ", mistake.Phrases)}\n{error}"));
        Assert.All(told, t => Assert.True(Mistakes.Any(mistake => mistake.IsToldBy(t.Place, t.Message) || (mistake.Place == t.Place && t.Place.Contains(':', StringComparison.Ordinal))), $"not expected: {t.Place} {t.Message}"));
    }

    /// <summary>A mistake without a place is a message only.</summary>
    private static (string Place, string Message) Split(string line)
    {
        Assert.StartsWith("error  ", line, StringComparison.Ordinal);
        var parts = line["error  ".Length..].Split("  ", 2);
        return parts.Length == 2 ? (parts[0], parts[1]) : ("", parts[0]);
    }
}
