using System.Text;
using Lateral.Configuration;

namespace Lateral.Node.Cli;

/// <summary>The page of all settings, generated from reference.conf: one table per section, with key, default and meaning.</summary>
internal static class SettingsPage
{
    private const string Head =
        """
        # Settings

        Every setting with its default, as `hocon/reference.conf` has them. Generated: `config explain --markdown` prints this page,
        and `config explain KEY` one entry. Files lie over the defaults from left to right, `--set key=value` over them.

        """;

    public static string Write(ReferenceGuide guide)
    {
        var page = new StringBuilder(Head.ReplaceLineEndings("\n"));
        foreach (var top in guide.Entries.Where(entry => !entry.Path.Contains('.', StringComparison.Ordinal)))
        {
            page.Append($"\n## {top.Path}\n\n");
            if (top.IsSection && top.Comment.Length > 0) page.Append(top.Comment).Append("\n\n");
            page.Append("| key | default | meaning |\n|---|---|---|\n");
            foreach (var entry in guide.Entries.Where(entry => entry.Path.StartsWith($"{top.Path}.", StringComparison.Ordinal) || (entry == top && !top.IsSection))) Row(page, entry);
        }

        return page.ToString();
    }

    /// <summary>Up to the first full stop that ends a sentence, for lists.</summary>
    public static string FirstSentence(string comment)
    {
        var end = comment.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? comment : comment[..(end + 1)];
    }

    private static void Row(StringBuilder page, ReferenceEntry entry)
    {
        var standard = entry.IsSection ? "" : $"`{Cell(entry.Default)}`";
        page.Append($"| `{Cell(entry.Path)}` | {standard} | {Cell(entry.Comment).Replace("*", "\\*", StringComparison.Ordinal)} |\n");
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
