using Lateral.Rewards.Mathematics.Reading;

namespace Lateral.Rewards.Mathematics;

/// <summary>Answers of grade-school mathematics: numbers, perhaps with separators, a currency, a full stop.</summary>
public static class Gsm8kAnswer
{
    /// <summary>The rules by which an answer is looked for: <c>flexible</c>, the last number; <c>strict</c>, the number behind ####.</summary>
    public static IReadOnlyList<string> Rules { get; } = ["flexible", "strict"];

    public static string? Of(string completion, string rule) => rule == "strict" ? FinalAnswer.Marked(completion) : FinalAnswer.LastNumber(completion);

    /// <summary>What a published answer says: the number behind its ####, or all of it where it has none.</summary>
    public static string Reference(string answer) => FinalAnswer.Marked(answer) ?? answer.Trim();

    /// <summary>Compared as exact numbers, so that 1,000.0 is $1000; what is none as it stands.</summary>
    public static bool AreEqual(string a, string b)
    {
        var (left, right) = (Plain(a), Plain(b));
        return left == right || (Decimals.ReadSigned(left) is { } x && Decimals.ReadSigned(right) is { } y && x == y);
    }

    private static string Plain(string answer) => answer.Replace(",", "", StringComparison.Ordinal).Replace("$", "", StringComparison.Ordinal).Trim().TrimEnd('.');
}
