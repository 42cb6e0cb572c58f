using System.Globalization;
using Lateral.Rewards.Mathematics.Forms;

namespace Lateral.Rewards.Mathematics.Reading;

/// <summary>Units beside formulas.</summary>
internal static class Units
{
    /// <summary>Words that make another answer of the formula before them.</summary>
    private static readonly string[] Changing = ["or", "more", "less", "fewer", "not", "than", "least", "most", "except", "times"];

    /// <summary>The formula without its unit, and the unit's usual name where it is a known one: <c>2400\text{ cm}^2</c> is 2400 and <c>cm^2</c>, <c>8\text{ meals}</c> is 8 and nothing.</summary>
    public static (IReadOnlyList<Token> Formula, string? Unit) Split(IReadOnlyList<Token> tokens)
    {
        string? unit = null;
        var end = tokens.Count;
        // Words stand behind a formula, their exponent behind them; what stands before a word that comes first is a formula's name, and no unit.
        var words = tokens.Index().FirstOrDefault(pair => pair.Item.Kind == TokenKind.Words, (Index: -1, default));
        if (words.Index > 0 && Exponent(tokens, words.Index) is var exponent and >= 0)
        {
            end = words.Index;
            unit = Named(tokens[words.Index].Text, exponent);
        }

        var formula = new List<Token>(end);
        for (var i = 0; i < end; i++)
        {
            if (tokens[i].Kind != TokenKind.Unit) formula.Add(tokens[i]);
            else unit ??= tokens[i].Text;
        }

        return (formula, unit);
    }

    /// <summary>The exponent of a unit that is told by the rest of the tokens, 1 for words alone; -1 where they are something else.</summary>
    private static int Exponent(IReadOnlyList<Token> tokens, int words)
    {
        var rest = AnswerReader.Slice(tokens, words, tokens.Count - words).Where(token => !token.Is("{") && !token.Is("}") && !token.Is("/") && !token.Is(".")).ToList();
        // Words with digits are a second answer rather than a unit, and "5 or more" is not 5.
        if (rest.Exists(token => token.Kind == TokenKind.Words && (token.Text.Any(char.IsAsciiDigit) || token.Text.Split(' ').Any(Changing.Contains)))) return -1;
        while (rest.Count > 0 && rest[0].Kind == TokenKind.Words) rest.RemoveAt(0);
        if (rest.Count == 0) return 1;
        return rest is [var sign, { Kind: TokenKind.Number, Text: "2" or "3" }] && sign.Is("^") ? rest[1].Text[0] - '0' : -1;
    }

    private static string? Named(string words, int exponent)
    {
        var parts = words.Split([' ', '.'], StringSplitOptions.RemoveEmptyEntries);
        if (parts is [var power, var unit])
        {
            exponent = power.ToLowerInvariant() switch { "square" or "sq" => 2, "cubic" or "cu" => 3, _ => exponent };
            parts = exponent > 1 ? [unit] : parts;
        }

        return parts is [var word] && Vocabulary.Unit(word) is { } name ? exponent == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}^{exponent}") : null;
    }
}
