using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lateral.Rewards.Judging;

/// <summary>
/// Finds the verdict in a judge's answer. The answer is the JSON object asked for; or text around exactly one such object, fenced or not. Two verdicts are
/// none: which of them is the judge's, and which one it quotes from the completion, nobody can tell.
/// </summary>
internal sealed class VerdictReader(IReadOnlyList<string> names, Scale scale, bool rubric)
{
    private const string EndOfThoughts = "</think>";

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <returns>the verdict, or what is wrong with the answer</returns>
    public (Verdict? Verdict, string? Mistake) Read(string answer)
    {
        // A reasoning model's thoughts may well try out verdicts.
        var thoughts = answer.LastIndexOf(EndOfThoughts, StringComparison.Ordinal);
        var found = Objects(thoughts < 0 ? answer : answer[(thoughts + EndOfThoughts.Length)..]).Where(one => JudgeReply.Field(one, Wanted) is not null).Take(2).ToList();
        return found.Count switch
        {
            0 => (null, $"there is no JSON object with {Wanted} in its answer: {Snippet.Of(answer)}"),
            1 => Read(found[0]),
            _ => (null, $"there are several verdicts in its answer: {Snippet.Of(answer)}"),
        };
    }

    private string Wanted => rubric ? "scores" : JudgeValue.ScorePart;

    private (Verdict? Verdict, string? Mistake) Read(JsonElement verdict)
    {
        var scores = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (JudgeReply.Field(rubric ? JudgeReply.Field(verdict, Wanted) : verdict, name) is not { } value) return (null, $"its verdict has no score for {name}: {Snippet.Of(verdict.ToString())}");
            if (Number(value) is not { } score) return (null, $"its score for {name} is no number: {Snippet.Of(value.ToString())}");
            if (!scale.Has(score)) return (null, FormattableString.Invariant($"its score for {name} is {score}, and the scale goes from {scale.Min} to {scale.Max}"));
            scores[name] = score;
        }

        return (new Verdict(scores.ToImmutable(), JudgeReply.Field(verdict, "reason") is { ValueKind: JsonValueKind.String } reason ? reason.GetString()! : ""), null);
    }

    /// <summary>Models like to write numbers as text; anything beside the number, such as 7/10, is no number.</summary>
    private static double? Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.String when double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };

    /// <summary>Every JSON object that is not inside another.</summary>
    private static IEnumerable<JsonElement> Objects(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var start = 0; (start = NextBrace(bytes, start)) >= 0;)
        {
            var length = LengthOfObject(bytes.AsSpan(start));
            if (length > 0 && Parse(bytes.AsMemory(start, length)) is { } found) yield return found;
            start += Math.Max(length, 1);
        }
    }

    private static int NextBrace(byte[] bytes, int start) => Array.IndexOf(bytes, (byte)'{', start);

    /// <returns>0 where no object begins</returns>
    private static int LengthOfObject(ReadOnlySpan<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes, isFinalBlock: false, state: default);
        try
        {
            return reader.Read() && reader.TrySkip() ? (int)reader.BytesConsumed : 0;
        }
        catch (JsonException)
        {
            return 0;
        }
    }

    /// <summary>Null for an object that has a name twice: which of the two counts would be the reader's choice.</summary>
    private static JsonElement? Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
