namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Arithmetic as Python does it, with integers of 64 bits: what does not fit is refused. Texts and lists can be added and repeated.</summary>
internal static class Operators
{
    public static object Apply(string sign, object left, object right, Site site)
    {
        Defined(left, site);
        Defined(right, site);
        if (Numbers.Of(left) is { } a && Numbers.Of(right) is { } b) return a is long m && b is long n ? Whole(sign, m, n, site) : Float(sign, Numbers.Float(a), Numbers.Float(b), site);
        switch (sign, left, right)
        {
            case ("+", string before, string after):
                site.Characters((long)before.Length + after.Length);
                return before + after;
            case ("+", Sequence { Kind: SequenceKind.List or SequenceKind.Tuple } before, Sequence after) when before.Kind == after.Kind:
                return site.Sequence(before.Kind, [.. before.Items, .. after.Items]);
            case ("*", string or Sequence, long or bool):
                return Repeated(left, (long)Numbers.Of(right)!, site);
            case ("*", long or bool, string or Sequence):
                return Repeated(right, (long)Numbers.Of(left)!, site);
            case ("%", string, _):
                throw site.Fail("formatting with '%' is not implemented; use '~'");
            default:
                throw site.Fail($"'{sign}' does not go with {Kinds.Of(left)} and {Kinds.Of(right)}");
        }
    }

    public static object Signed(string sign, object value, Site site)
    {
        Defined(value, site);
        return Numbers.Of(value) switch
        {
            long number => sign == "-" ? Whole("-", 0, number, site) : number,
            double number => sign == "-" ? -number : number,
            _ => throw site.Fail($"'{sign}' does not go with {Kinds.Of(value)}"),
        };
    }

    private static void Defined(object value, Site site)
    {
        if (value is Undefined undefined) throw site.Fail(undefined.Why);
    }

    private static object Repeated(object value, long times, Site site)
    {
        var length = value is string text ? text.Length : ((Sequence)value).Items.Count;
        // Before anything is made: the product may be more than a number holds.
        var total = (long)Int128.Min((Int128)length * Math.Max(times, 0), long.MaxValue);
        if (value is string repeated)
        {
            site.Characters(total);
            return total == 0 ? "" : new System.Text.StringBuilder().Insert(0, repeated, (int)times).ToString();
        }

        var sequence = (Sequence)value;
        if (sequence.Kind is not (SequenceKind.List or SequenceKind.Tuple)) throw site.Fail($"'*' does not go with {Kinds.Of(value)}");
        site.Step(total);
        return site.Sequence(sequence.Kind, total == 0 ? [] : [.. Enumerable.Repeat(sequence.Items, (int)times).SelectMany(items => items)]);
    }

    private static object Whole(string sign, long a, long b, Site site)
    {
        if (b == 0 && sign is "/" or "//" or "%") throw site.Fail("division by zero");
        try
        {
            checked
            {
                // As objects: of a long and a double the compiler would make two doubles.
                return sign switch
                {
                    "+" => (object)(a + b),
                    "-" => a - b,
                    "*" => a * b,
                    "/" => (double)a / b,
                    // Towards minus infinity, and the remainder has the divisor's sign.
                    "//" => b == -1 ? -a : (a / b) - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0),
                    "%" => b == -1 ? 0L : a % b is var rest && rest != 0 && (rest < 0) != (b < 0) ? rest + b : a % b,
                    _ => b < 0 ? Float("**", a, b, site) : Power(a, b),
                };
            }
        }
        catch (OverflowException)
        {
            throw site.Fail($"{a} {sign} {b} does not fit into 64 bits");
        }
    }

    private static object Power(long number, long exponent)
    {
        var result = 1L;
        checked
        {
            for (; exponent > 0; exponent >>= 1)
            {
                if ((exponent & 1) != 0) result *= number;
                if (exponent > 1) number *= number;
            }
        }

        return result;
    }

    private static object Float(string sign, double a, double b, Site site)
    {
        if (b == 0 && sign is "/" or "//" or "%") throw site.Fail("division by zero");
        switch (sign)
        {
            case "+": return a + b;
            case "-": return a - b;
            case "*": return a * b;
            case "/": return a / b;
            case "//" or "%":
                // The remainder first, as Python does: a floor of the rounded quotient could be one too many.
                var rest = a % b;
                if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
                return sign == "%" ? rest : Math.Round((a - rest) / b);
            default:
                if (a == 0 && b < 0) throw site.Fail("zero has no negative power");
                if (a < 0 && Math.Floor(b) != b) throw site.Fail("a negative number has no power that is no integer");
                return Math.Pow(a, b);
        }
    }
}
