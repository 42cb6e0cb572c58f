using System.Collections.Immutable;
using Lateral.Core.Prompts;

namespace Lateral.Rewards.Data;

/// <summary>Two completions of one prompt, the first of which is preferred.</summary>
/// <param name="Margin">by how much their rewards are to differ at least; 0 where the row has none</param>
public sealed record PreferenceRow(string Prompt, string Chosen, string Rejected, double Margin)
{
    private readonly DataLine _line;

    internal PreferenceRow(DataLine line, string prompt, string chosen, string rejected, double margin)
        : this(prompt, chosen, rejected, margin) => _line = line;

    /// <summary>1-based line of the file.</summary>
    public int Line => _line.Number;

    /// <summary>What is found wrong with the row later, at its place.</summary>
    public DataException Wrong(string what, string why, string fix) => _line.Wrong(0, what, why, fix);
}

/// <summary>
/// Preferences as JSON objects, one a line: <c>{"prompt": "31415", "chosen": "11345", "rejected": "54311"}</c>; other fields are passed over. Each of the three may be a list of chat messages as on the
/// Hugging Face hub, <c>[{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]</c>: the last message, an assistant's, is the completion, and what stands before it is the prompt where the
/// row has none. A prompt of several messages reads <c>role: content</c>, a line each.
/// </summary>
public static class PreferenceFile
{
    private const string Example = """{"prompt": "31415", "chosen": "11345", "rejected": "54311"}""";

    /// <summary>All rows, checked.</summary>
    /// <exception cref="DataException">the file is missing, empty or of another form, or a row is wrong; the first fault is reported</exception>
    public static IReadOnlyList<PreferenceRow> Read(string path)
    {
        PreferenceRow[] rows = [.. RowFile.Lines(path).Select(Row)];
        return rows.Length > 0 ? rows : throw new DataException(path, 0, 0, "has no rows", "there is nothing to learn from", "check that this is the file you mean");
    }

    private static PreferenceRow Row(DataLine line)
    {
        using var row = JsonRow.Of(line, Example);
        var (chosen, before) = Completion(row, line, "chosen");
        var (rejected, beforeRejected) = Completion(row, line, "rejected");
        var prompt = row.Has("prompt") ? row.Turns("prompt") is { } messages ? Joined(messages) : row.Text("prompt") : before ?? row.Text("prompt");
        if (!row.Has("prompt") && before != beforeRejected) throw line.Wrong(1, "has no one prompt", "what stands before the last message differs between 'chosen' and 'rejected'", $"write {Example}");
        if (chosen == rejected) throw line.Wrong(1, "prefers nothing", "'chosen' and 'rejected' are the same text", "leave the row out");
        var margin = row.Number("margin") ?? 0;
        if (margin < 0) throw line.Wrong(1, $"'margin' is {margin}", "it is at least 0", "leave it out, or exchange 'chosen' and 'rejected'");
        return new(line, prompt, chosen, rejected, margin);
    }

    /// <returns>the completion, and what stood before it in the same list</returns>
    private static (string Text, string? Before) Completion(JsonRow row, DataLine line, string name)
    {
        if (row.Turns(name) is not { } messages) return (row.Text(name), null);
        if (messages is [.. var before, ("assistant", var text)]) return (text, before.IsEmpty ? null : Joined(before));
        throw line.Wrong(1, $"'{name}' ends with no completion", $"its last message is the {messages[^1].Role}'s", "end it with a message of role assistant");
    }

    private static string Joined(ImmutableArray<Turn> messages) =>
        messages.Length == 1 ? messages[0].Content : string.Join('\n', messages.Select(message => $"{message.Role}: {message.Content}"));
}
