using System.Globalization;

namespace Lateral.Rewards.Tasks;

/// <summary>
/// The text of worked multiplications. Every thought and the answer have the same number of digits and one mark behind them, so each is a block of
/// the sampler: <c>12*34=</c> is worked as <c>0048;0360;0408.</c>
/// </summary>
public static class MultiplyText
{
    /// <summary>Ends a thought.</summary>
    public const char Thought = ';';

    /// <summary>Ends the answer.</summary>
    public const char End = '.';

    public const string Alphabet = "0123456789*=;.";

    public static string Prompt(long left, long right) => FormattableString.Invariant($"{left}*{right}=");

    /// <summary>Digits of the product, zero-padded to <paramref name="digits"/>.</summary>
    public static string Number(long value, int digits) => value.ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0');

    /// <summary>The partial products, units first: the left number times each digit of the right one, with that digit's power of ten.</summary>
    public static IEnumerable<long> PartialProducts(long left, long right)
    {
        for (long power = 1; power <= right; power *= 10) yield return left * (right / power % 10) * power;
    }

    /// <summary>The digits of the final answer, zeros in front included; null where the completion does not end with one.</summary>
    public static string? FinalAnswer(string completion)
    {
        var answer = completion.AsSpan(completion.LastIndexOf(Thought) + 1);
        if (answer is not [.. var digits, End]) return null;
        return digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9') ? null : digits.ToString();
    }
}
