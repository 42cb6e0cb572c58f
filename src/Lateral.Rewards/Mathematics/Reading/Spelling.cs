namespace Lateral.Rewards.Mathematics.Reading;

/// <summary>One spelling for answers that differ only in what sets the type.</summary>
internal static class Spelling
{
    /// <summary>The tokens in a row, without braces around single ones: x^{2} is x^2, and \frac12 is \frac{1}{2}.</summary>
    public static string Of(IReadOnlyList<Token> tokens)
    {
        var kept = new List<string>(tokens.Count);
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens[i].Is("{") && i + 2 < tokens.Count && tokens[i + 2].Is("}") && tokens[i + 1].Nesting == 0)
            {
                kept.Add(tokens[i + 1].Text);
                i += 2;
            }
            else if (i > 0 && tokens[i - 1].IsCommand("frac") && tokens[i] is { Kind: TokenKind.Number, Text: var digits } && digits.Length > 1 && digits.All(char.IsAsciiDigit)) kept.AddRange([digits[..1], digits[1..]]);
            else kept.Add(tokens[i].Text);
        }

        return string.Join(' ', kept);
    }
}
