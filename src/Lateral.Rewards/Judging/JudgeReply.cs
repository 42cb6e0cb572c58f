using System.Text;
using System.Text.Json;

namespace Lateral.Rewards.Judging;

/// <summary>What a chat completion holds: its text, or why there is none.</summary>
/// <param name="Text">null where <paramref name="Mistake"/> says why</param>
/// <param name="Tokens">what the endpoint counts for question and answer; null where it does not say</param>
internal readonly record struct JudgeReply(string? Text, long? Tokens, string? Mistake)
{
    public static JudgeReply Read(byte[] body)
    {
        JsonElement root;
        try
        {
            root = JsonElement.Parse(body);
        }
        catch (JsonException)
        {
            return new JudgeReply(null, null, $"it answered with something else than JSON: {Snippet.Of(body)}");
        }

        long? tokens = Field(Field(root, "usage"), "total_tokens") is { ValueKind: JsonValueKind.Number } count && count.TryGetInt64(out var total) && total >= 0 ? total : null;
        if (Field(root, "choices") is not { ValueKind: JsonValueKind.Array } choices) return new JudgeReply(null, tokens, $"its answer has no choices: {Snippet.Of(body)}");
        if (choices.GetArrayLength() == 0) return new JudgeReply(null, tokens, "its answer has an empty list of choices");
        var message = Field(choices[0], "message");
        if (Field(message, "refusal") is { ValueKind: JsonValueKind.String } refusal) return new JudgeReply(null, tokens, $"it refuses to judge: {Snippet.Of(refusal.GetString()!)}");
        if (Field(choices[0], "finish_reason") is { ValueKind: JsonValueKind.String } reason && reason.GetString() is "length" or "content_filter")
            return new JudgeReply(null, tokens, Field(choices[0], "finish_reason")?.GetString() == "length" ? "its verdict is cut off - raise max-reply-tokens" : "its verdict was withheld by a content filter");
        return Content(message) is { } text ? new JudgeReply(text, tokens, null) : new JudgeReply(null, tokens, $"its answer has no text: {Snippet.Of(body)}");
    }

    /// <summary>A text, or a list of parts of which some are text.</summary>
    private static string? Content(JsonElement? message) => Field(message, "content") switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { ValueKind: JsonValueKind.Array } parts => string.Concat(parts.EnumerateArray().Select(part => Field(part, "text") is { ValueKind: JsonValueKind.String } text ? text.GetString() : "")),
        _ => null,
    };

    internal static JsonElement? Field(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } known && known.TryGetProperty(name, out var value) ? value : null;
}

/// <summary>The first words of what another machine sent, on one line, for a message.</summary>
internal static class Snippet
{
    private const int Letters = 200;

    public static string Of(byte[] bytes) => Of(Encoding.UTF8.GetString(bytes, 0, Math.Min(bytes.Length, 4 * Letters)));

    public static string Of(string text) =>
        text.Length == 0 ? "(nothing)" : string.Concat(text.Take(Letters).Select(letter => char.IsControl(letter) || letter == '�' ? ' ' : letter)) + (text.Length > Letters ? " ..." : "");
}
