using System.Globalization;
using System.Numerics;
using System.Text;

namespace Lateral.Rewards.Code;

/// <summary>Values as Python source: written here from values that were read here, so that nothing of a program's own text reaches another sandbox.</summary>
internal static class PyLiteral
{
    /// <param name="isKey">it stands in a set or is a dictionary's key, where only a frozenset can</param>
    public static string Of(PyValue value, bool isKey = false) => value switch
    {
        PyValue.None => "None",
        PyValue.Int { IsBool: true } number => number.Value.IsZero ? "False" : "True",
        PyValue.Int number => Whole(number.Value),
        PyValue.Float number => Real(number.Value),
        PyValue.Complex number => $"complex({Real(number.Real)}, {Real(number.Imaginary)})",
        PyValue.Text text => Quoted(text.Value),
        PyValue.Bytes bytes => $"bytes.fromhex('{bytes.Hex}')",
        PyValue.Range range => $"range({Whole(range.Start)}, {Whole(range.Stop)}, {Whole(range.Step)})",
        PyValue.Sequence { IsTuple: true } tuple => $"({string.Concat(tuple.Items.Select(item => Of(item, isKey) + ", "))})",
        PyValue.Sequence list => $"[{string.Join(", ", list.Items.Select(item => Of(item)))}]",
        PyValue.Set set => $"{(isKey ? "frozenset" : "set")}([{string.Join(", ", set.Items.Select(item => Of(item, isKey: true)))}])",
        PyValue.Dict dict => $"{{{string.Join(", ", dict.Pairs.Select(pair => $"{Of(pair.Key, isKey: true)}: {Of(pair.Value)}"))}}}",
        PyValue.Raised => "Raised",
        _ => "Unknown",
    };

    public static string Quoted(string text)
    {
        var quoted = new StringBuilder("'");
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value is >= 32 and < 127 and not '\'' and not '\\' ? quoted.Append((char)rune.Value) : quoted.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
        }

        return quoted.Append('\'').ToString();
    }

    /// <summary>Hexadecimal, because Python refuses to read decimal numbers of more than 4,300 digits.</summary>
    private static string Whole(BigInteger value) => (value.Sign < 0 ? "-" : "") + "0x0" + BigInteger.Abs(value).ToString("x", CultureInfo.InvariantCulture);

    private static string Real(double value) => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) is var text && text.AsSpan().ContainsAny('.', 'E') ? text : $"{text}.0"
        : double.IsNaN(value) ? "float('nan')" : value > 0 ? "float('inf')" : "float('-inf')";
}
