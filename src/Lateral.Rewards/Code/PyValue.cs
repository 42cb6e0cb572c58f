using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace Lateral.Rewards.Code;

/// <summary>A value that came out of a sandbox, with its Python type. <see cref="PyEquality"/> says when two are equal.</summary>
internal abstract record PyValue
{
    /// <summary>How deep values may lie in each other; the sandbox's side stops earlier.</summary>
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 200 };

    private PyValue()
    {
    }

    public sealed record None : PyValue;

    /// <param name="IsBool">True and False are the integers 1 and 0</param>
    public sealed record Int(BigInteger Value, bool IsBool = false) : PyValue;

    public sealed record Float(double Value) : PyValue;

    public sealed record Complex(double Real, double Imaginary) : PyValue;

    public sealed record Text(string Value) : PyValue;

    /// <param name="Hex">two digits a byte; bytes and bytearray are equal</param>
    public sealed record Bytes(string Hex) : PyValue;

    public sealed record Sequence(bool IsTuple, ImmutableArray<PyValue> Items) : PyValue;

    public sealed record Range(BigInteger Start, BigInteger Stop, BigInteger Step) : PyValue;

    /// <summary>A set or a frozenset, which are equal.</summary>
    public sealed record Set(ImmutableArray<PyValue> Items) : PyValue;

    public sealed record Dict(ImmutableArray<(PyValue Key, PyValue Value)> Pairs) : PyValue;

    /// <summary>What has no plain form; equal to nothing.</summary>
    public sealed record Other(string Type) : PyValue;

    /// <summary>An exception instead of a value; equal to nothing.</summary>
    public sealed record Raised(string Type) : PyValue;

    /// <summary>What the sandbox's side writes, for example <c>["l",["i","2a"],["s","x"]]</c>; null for anything else, which a program can write as well.</summary>
    public static PyValue? Read(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            return Of(document.RootElement);
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or FormatException or OverflowException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    /// <exception cref="FormatException">it is of another form</exception>
    public static PyValue Of(JsonElement told)
    {
        var count = told.GetArrayLength();
        return (told[0].GetString(), count) switch
        {
            ("n", 1) => new None(),
            ("t", 1) => new Int(1, IsBool: true),
            ("f", 1) => new Int(0, IsBool: true),
            ("i", 2) => new Int(WholeOf(told[1])),
            ("r", 2) => new Float(RealOf(told[1])),
            ("c", 3) => new Complex(RealOf(told[1]), RealOf(told[2])),
            ("s", 2) => new Text(told[1].GetString() ?? throw new FormatException("a text")),
            ("b", 2) => new Bytes(Convert.ToHexString(Convert.FromHexString(told[1].GetString() ?? throw new FormatException("bytes")))),
            ("g", 4) => new Range(WholeOf(told[1]), WholeOf(told[2]), WholeOf(told[3])),
            ("u", _) => new Sequence(true, ItemsOf(told)),
            ("l", _) => new Sequence(false, ItemsOf(told)),
            ("e", _) => new Set(ItemsOf(told)),
            ("d", _) when count % 2 == 1 => new Dict([.. ItemsOf(told).Chunk(2).Select(pair => (pair[0], pair[1]))]),
            ("o", 2) => new Other(told[1].GetString() ?? ""),
            ("x", 2) => new Raised(told[1].GetString() ?? ""),
            _ => throw new FormatException("a value of no known kind"),
        };
    }

    /// <summary>bool(value); null of what has no plain form.</summary>
    public bool? IsTrue => this switch
    {
        None => false,
        Int value => !value.Value.IsZero,
        Float value => value.Value != 0,
        Complex value => value.Real != 0 || value.Imaginary != 0,
        Text value => value.Value.Length > 0,
        Bytes value => value.Hex.Length > 0,
        Sequence value => value.Items.Length > 0,
        Set value => value.Items.Length > 0,
        Dict value => value.Pairs.Length > 0,
        Range value => PyEquality.Length(value) > 0,
        _ => null,
    };

    private static ImmutableArray<PyValue> ItemsOf(JsonElement told) => [.. told.EnumerateArray().Skip(1).Select(Of)];

    /// <summary>Hexadecimal with a sign; a leading zero keeps .NET from taking the first digit for one.</summary>
    private static BigInteger WholeOf(JsonElement told)
    {
        var text = told.GetString() ?? throw new FormatException("an integer");
        var digits = text.StartsWith('-') ? text[1..] : text;
        var value = BigInteger.Parse("0" + digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        return digits.Length < text.Length ? -value : value;
    }

    private static double RealOf(JsonElement told) => told.GetString() switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" => double.NaN,
        { } text => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
        null => throw new FormatException("a number"),
    };
}
