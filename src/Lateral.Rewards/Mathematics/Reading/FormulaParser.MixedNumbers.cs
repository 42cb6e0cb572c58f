using Lateral.Rewards.Arithmetic;
using Lateral.Rewards.Mathematics.Forms;

namespace Lateral.Rewards.Mathematics.Reading;

/// <content>Mixed numbers: three and an eighth.</content>
internal sealed partial class FormulaParser
{
    /// <summary>A whole number with a proper fraction behind it; null where there is none. Looks ahead without reading, so that nested fractions are read once.</summary>
    private Formula.Sum? Mixed(Token whole)
    {
        if (!whole.Text.All(char.IsAsciiDigit)) return null;
        var (at, digit) = (_at, 0);
        if (Ahead(at).IsCommand("frac"))
        {
            at++;
            return Small(ref at, ref digit) is { } over && Small(ref at, ref digit) is { } under && digit == 0 && !Ahead(at).Is("^") ? With(over, under) : null;
        }

        if (!Ahead(at).Spaced || Plain(at) is not { } numerator || !Ahead(at + 1).Is("/") || Plain(at + 2) is not { } denominator) return null;
        at += 3;
        return With(numerator, denominator);

        Formula.Sum? With(Rational over, Rational under)
        {
            if (over.Sign <= 0 || (under - over).Sign <= 0) return null;
            _at = at;
            return new Formula.Sum([new Formula.Number(whole.Value!.Value), new Formula.Quotient(new Formula.Number(over), new Formula.Number(under))]);
        }
    }

    private Token Ahead(int at) => at < _tokens.Count ? _tokens[at] : default;

    private Rational? Plain(int at) => Ahead(at) is { Kind: TokenKind.Number } token && token.Text.All(char.IsAsciiDigit) ? token.Value : null;

    /// <summary>A fraction's numerator or denominator that is a whole number: in braces, or one digit of a number.</summary>
    private Rational? Small(ref int at, ref int digit)
    {
        if (digit == 0 && Ahead(at).Is("{") && Plain(at + 1) is { } number && Ahead(at + 2).Is("}"))
        {
            at += 3;
            return number;
        }

        if (Plain(at) is null) return null;
        var text = Ahead(at).Text;
        var value = Decimals.Read(text.AsSpan(digit, 1));
        if (++digit == text.Length) (at, digit) = (at + 1, 0);
        return value;
    }
}
