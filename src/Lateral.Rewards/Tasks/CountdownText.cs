using System.Globalization;

namespace Lateral.Rewards.Tasks;

/// <summary>The text of countdown problems.</summary>
public static class CountdownText
{
    /// <summary>Numbers in every problem.</summary>
    public const int Numbers = 3;

    /// <summary>The largest number or target that a prompt's three digits can write.</summary>
    public const int Largest = 999;

    /// <summary>Ends a completion; an alphabet that contains a line feed makes it the end token (Lateral.Diffusion's CharTokenizer).</summary>
    public const char End = '\n';

    public const string Alphabet = "0123456789,=+-*/()\n";

    /// <summary>Three digits each, so that every prompt has 15 tokens and a number always stands at the same place: <c>030,100,093=023</c>.</summary>
    public static string Prompt(IEnumerable<int> numbers, int target) =>
        string.Join(',', numbers.Select(number => number.ToString("000", CultureInfo.InvariantCulture)))
        + "=" + target.ToString("000", CultureInfo.InvariantCulture);

    /// <summary>What the verifier reads: <c>30,100,93=23</c>.</summary>
    public static string Reference(IEnumerable<int> numbers, int target) =>
        FormattableString.Invariant($"{string.Join(',', numbers)}={target}");

    /// <summary>The numbers and the target of a reference; null where it is not of the form <c>30,100,93=23</c>.</summary>
    public static (int[] Numbers, int Target)? ReadReference(string reference)
    {
        if (reference.Split('=') is not [var left, var right] || !TryRead(right, out var target)) return null;
        var parts = left.Split(',');
        var numbers = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
            if (!TryRead(parts[i], out numbers[i])) return null;
        return (numbers, target);
    }

    private static bool TryRead(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
