using System.Numerics;

namespace Lateral.Rewards.Code;

/// <summary>
/// Python's ==: numbers by value whatever their type (True == 1 == 1.0, and 2**53 + 1 != 2.0**53: integers are compared exactly); a list is no tuple; sets and dictionaries without order; nan is not itself.
/// </summary>
internal sealed class PyEquality : IEqualityComparer<PyValue>
{
    public static PyEquality Instance { get; } = new();

    public bool Equals(PyValue? x, PyValue? y) => (x, y) switch
    {
        (PyValue.None, PyValue.None) => true,
        (PyValue.Int a, PyValue.Int b) => a.Value == b.Value,
        (PyValue.Int a, PyValue.Float b) => Same(b.Value, a.Value),
        (PyValue.Float a, PyValue.Int b) => Same(a.Value, b.Value),
        (PyValue.Float a, PyValue.Float b) => a.Value == b.Value,
        (PyValue.Complex a, PyValue.Complex b) => a.Real == b.Real && a.Imaginary == b.Imaginary,
        (PyValue.Complex a, PyValue.Int or PyValue.Float) => a.Imaginary == 0 && Equals(new PyValue.Float(a.Real), y),
        (PyValue.Int or PyValue.Float, PyValue.Complex) => Equals(y, x),
        (PyValue.Text a, PyValue.Text b) => a.Value == b.Value,
        (PyValue.Bytes a, PyValue.Bytes b) => a.Hex == b.Hex,
        (PyValue.Range a, PyValue.Range b) => Same(a, b),
        (PyValue.Sequence a, PyValue.Sequence b) => a.IsTuple == b.IsTuple && a.Items.Length == b.Items.Length && a.Items.Zip(b.Items).All(pair => Equals(pair.First, pair.Second)),
        (PyValue.Set a, PyValue.Set b) => a.Items.ToHashSet(this) is var items && items.Count == b.Items.Length && b.Items.ToHashSet(this).SetEquals(items),
        (PyValue.Dict a, PyValue.Dict b) => Same(a, b),
        _ => false,
    };

    /// <summary>Equal values have equal hashes: a float that is whole has its integer's.</summary>
    public int GetHashCode(PyValue value) => value switch
    {
        PyValue.Int number => number.Value.GetHashCode(),
        PyValue.Float number => IsWhole(number.Value) ? new BigInteger(number.Value).GetHashCode() : number.Value.GetHashCode(),
        PyValue.Complex number => GetHashCode(new PyValue.Float(number.Real)),
        PyValue.Text text => text.Value.GetHashCode(StringComparison.Ordinal),
        PyValue.Bytes bytes => bytes.Hex.GetHashCode(StringComparison.Ordinal),
        PyValue.Sequence sequence => sequence.Items.Aggregate(sequence.IsTuple ? 17 : 19, (hash, item) => unchecked((hash * 31) + GetHashCode(item))),
        PyValue.Set set => set.Items.Aggregate(23, (hash, item) => unchecked(hash + GetHashCode(item))),
        PyValue.Dict dict => dict.Pairs.Aggregate(29, (hash, pair) => unchecked(hash + (GetHashCode(pair.Key) * 37))),
        PyValue.Range range => Length(range).GetHashCode(),
        _ => 0,
    };

    /// <summary>How many numbers a range has.</summary>
    public static BigInteger Length(PyValue.Range range)
    {
        if (range.Step.IsZero) return 0;
        var steps = (range.Stop - range.Start - range.Step.Sign) / range.Step;
        return (range.Stop - range.Start).Sign == range.Step.Sign ? steps + 1 : 0;
    }

    private static bool Same(double real, BigInteger whole) => IsWhole(real) && new BigInteger(real) == whole;

    private static bool IsWhole(double real) => double.IsFinite(real) && Math.Floor(real) == real;

    /// <summary>As the sequences that they stand for.</summary>
    private static bool Same(PyValue.Range a, PyValue.Range b) => Length(a) == Length(b) && (Length(a).IsZero || (a.Start == b.Start && (Length(a).IsOne || a.Step == b.Step)));

    private bool Same(PyValue.Dict a, PyValue.Dict b)
    {
        if (a.Pairs.Length != b.Pairs.Length) return false;
        var values = new Dictionary<PyValue, PyValue>(this);
        foreach (var (key, value) in a.Pairs) values[key] = value;
        return values.Count == b.Pairs.Length && b.Pairs.DistinctBy(pair => pair.Key, this).Count() == values.Count && b.Pairs.All(pair => values.TryGetValue(pair.Key, out var value) && Equals(value, pair.Value));
    }
}
