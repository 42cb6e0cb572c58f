namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>
/// What a template that does not ask for add_generation_prompt writes behind a finished conversation: the header of the next answer, or nothing. It is found by what the template does with two short
/// conversations of three words:
/// <code>
/// user U, assistant X            opening U before X tail        before = ending + answer's header, tail = ending [+ answer's header]
/// user U, assistant X, user V    opening U before X between V   between = ending + opening
/// </code>
/// The opening is all that stands before U, less the token that begins a text; with it the ending is known, and what the tail has more than that is the header.
/// </summary>
internal static class TrailingHeader
{
    // Words that no template writes, and none within another.
    private const string U = "uquestionu", X = "xanswerx", V = "vquestionv";

    public static TemplateException Unknown(TemplateException? cause = null) => new(
        $"the template writes the same with and without add_generation_prompt, and whether it begins another answer behind a finished conversation, and where, cannot be told{(cause is null ? "" : $" ({cause.Message})")}; "
        + "change it so that it asks for add_generation_prompt", cause: cause);

    /// <param name="render">a conversation without the generation prompt</param>
    /// <param name="firstToken">what a text begins with, where the tokenizer has such a token</param>
    /// <exception cref="TemplateException">there is a header, and where it begins cannot be told</exception>
    public static string Of(Func<IReadOnlyList<ChatMessage>, string> render, string? firstToken)
    {
        ChatMessage[] finished = [new("user", U), new("assistant", X)];
        var (ended, continued) = (Rendered(render, finished), Rendered(render, [.. finished, new("user", V)]));
        var (opening, before, tail, between) = (Between(ended, null, U), Between(ended, U, X), Between(ended, X, null), Between(continued, X, V));
        // What another turn begins with begins with the tail: that is an ending and nothing else.
        if (between.StartsWith(tail, StringComparison.Ordinal)) return "";
        if (firstToken is { Length: > 0 } && opening.StartsWith(firstToken, StringComparison.Ordinal)) opening = opening[firstToken.Length..];
        if (between.EndsWith(opening, StringComparison.Ordinal) && between[..^opening.Length] is var ending && tail.StartsWith(ending, StringComparison.Ordinal))
        {
            // A header stands before every answer; what does not is a mark of the conversation's end.
            var header = tail[ending.Length..];
            return before.EndsWith(header, StringComparison.Ordinal) ? header : "";
        }

        // The last message ends as no other does. Where that is quite unlike what stands before an answer it is no header.
        return 2 * CommonEnd(tail, before) < tail.Length ? "" : throw Unknown();
    }

    private static string Rendered(Func<IReadOnlyList<ChatMessage>, string> render, IReadOnlyList<ChatMessage> messages)
    {
        try
        {
            return render(messages);
        }
        catch (TemplateException refusal)
        {
            throw Unknown(refusal);
        }
    }

    /// <param name="after">null = the text's beginning</param>
    /// <param name="before">null = the text's end</param>
    private static string Between(string text, string? after, string? before)
    {
        var begin = after is null ? 0 : text.IndexOf(after, StringComparison.Ordinal) is >= 0 and var found ? found + after.Length : throw Unknown();
        var end = before is null ? text.Length : text.IndexOf(before, begin, StringComparison.Ordinal);
        return end >= 0 ? text[begin..end] : throw Unknown();
    }

    private static int CommonEnd(string a, string b)
    {
        var length = 0;
        while (length < Math.Min(a.Length, b.Length) && a[^(length + 1)] == b[^(length + 1)]) length++;
        return length;
    }
}
