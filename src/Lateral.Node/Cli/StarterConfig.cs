using System.Text;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Node.Composition;

namespace Lateral.Node.Cli;

/// <summary>A recipe that ships with the program as a file of the user's own: what it sets, what people change next, and what reference.conf says of each.</summary>
internal static class StarterConfig
{
    private const int Width = 100;

    /// <summary>Shown with their defaults where the recipe says nothing: the first things that people turn.</summary>
    private static readonly string[] ChangedNext = ["run.seed", "run.dir", "staleness.max-versions", "deterministic", "topology.roles.sampler.slots", "eval.every"];

    public static IReadOnlyList<string> Recipes { get; } = ["quickstart", "sort6", "sudoku", "countdown"];

    /// <param name="name">the run's name: what the file is called</param>
    public static string Write(string recipe, string name)
    {
        var text = Embedded(recipe);
        var guide = RunSettingsLoader.Guide(ShippedPlugins.All);
        var set = ConfigLeaves.Flatten(Hocon.ParseText(text, recipe)).ToDictionary(leaf => leaf.Path, leaf => leaf.Value, StringComparer.Ordinal);
        set["run.name"] = new ConfigScalar(new Origin("init", 0, 0), name, quoted: true, ScalarKind.String);
        foreach (var key in ChangedNext) set.TryAdd(key, guide.Find(key)[0].Value);
        var task = ((ConfigScalar)set["task.name"]).Text;

        var page = new StringBuilder();
        foreach (var line in text.Split('\n').TakeWhile(line => line.StartsWith('#') && line.Length > 1)) page.Append(line).Append('\n');
        page.Append("#\n# Every other setting keeps its default; lateral config explain lists them.\n");
        var sections = guide.Entries.Select((entry, place) => (entry.Path, place)).ToDictionary(pair => pair.Path, pair => pair.place, StringComparer.Ordinal);
        Section(page, "", set.OrderBy(leaf => Place(leaf.Key)).ToList(), 0, Comment);
        return page.ToString();

        // A task's own keys stand in the catalogue: here they follow the first key of their section.
        double Place(string path)
        {
            if (sections.TryGetValue(path, out var place)) return place;
            while (!sections.TryGetValue(path, out place)) path = path[..path.LastIndexOf('.')];
            return place + 1.5;
        }

        string Comment(string path)
        {
            if (path.StartsWith("task.", StringComparison.Ordinal) && guide.Find($"tasks.{task}.{path["task.".Length..]}") is [var own, ..]) return own.Comment;
            return guide.Find(path) is [var entry, ..] ? entry.Comment : "";
        }
    }

    private static void Section(StringBuilder page, string path, List<KeyValuePair<string, ConfigValue>> leaves, int depth, Func<string, string> comment)
    {
        var indent = new string(' ', 2 * depth);
        foreach (var group in leaves.GroupBy(leaf => FirstWord(leaf.Key, path)))
        {
            var below = path.Length == 0 ? group.Key : $"{path}.{group.Key}";
            page.Append('\n');
            foreach (var line in Wrapped(comment(below), Width - indent.Length - 2)) page.Append(indent).Append("# ").Append(line).Append('\n');
            if (group.Count() == 1 && group.First().Key == below)
            {
                page.Append(indent).Append(group.Key).Append(" = ").Append(Text(group.First().Value)).Append('\n');
                continue;
            }

            page.Append(indent).Append(group.Key).Append(" {");
            Section(page, below, [.. group], depth + 1, comment);
            page.Append(indent).Append("}\n");
        }
    }

    private static string FirstWord(string path, string parent)
    {
        var rest = parent.Length == 0 ? path : path[(parent.Length + 1)..];
        return rest.IndexOf('.', StringComparison.Ordinal) is var dot and >= 0 ? rest[..dot] : rest;
    }

    private static string Text(ConfigValue value) => value is ConfigScalar scalar ? HoconWriter.Scalar(scalar) : CanonicalJson.Write(value);

    private static IEnumerable<string> Wrapped(string text, int width)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        if (line.Length > 0) yield return line.ToString();
    }

    /// <summary>A file of hocon/ that ships with the program.</summary>
    internal static string Embedded(string recipe)
    {
        using var stream = typeof(StarterConfig).Assembly.GetManifestResourceStream($"{recipe}.conf")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
