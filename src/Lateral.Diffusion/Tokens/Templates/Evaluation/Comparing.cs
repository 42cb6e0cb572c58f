namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Equality, order and membership as Python has them. Every value that is looked at is a step: lists that hold one another many times over are compared no longer than the limit.</summary>
internal static class Comparing
{
    public static bool Holds(string sign, object left, object right, Site site) => sign switch
    {
        "==" => Same(left, right, site),
        "!=" => !Same(left, right, site),
        "in" => Contains(right, left, site),
        "not in" => !Contains(right, left, site),
        _ => Ordered(sign, left, right, site),
    };

    public static bool Same(object a, object b, Site site)
    {
        site.Step();
        if (Numbers.Of(a) is { } m && Numbers.Of(b) is { } n) return Equal(m, n);
        switch (a, b)
        {
            case (string x, string y):
                if (x.Length == y.Length) site.Characters(x.Length);
                return x == y;
            case (Undefined, Undefined):
                return true;
            case (Sequence x, Sequence y):
                if (!x.HasPositions || !y.HasPositions) throw site.Fail("views of dictionaries cannot be compared; make them lists with '| list'");
                return x.Kind == y.Kind && x.Items.Count == y.Items.Count && x.Items.Zip(y.Items).All(pair => SameElement(pair.First, pair.Second, site));
            case (Mapping x, Mapping y):
                return x.Count == y.Count && x.Entries.All(entry => site.Get(y, entry.Key) is { } other && SameElement(entry.Value, other, site));
            default:
                return ReferenceEquals(a, b);
        }
    }

    /// <summary>In a list a value is equal to itself, which NaN is not elsewhere.</summary>
    private static bool SameElement(object a, object b, Site site)
    {
        if (!ReferenceEquals(a, b)) return Same(a, b, site);
        site.Step();
        return true;
    }

    private static bool Equal(object a, object b) => (a, b) switch
    {
        (long m, long n) => m == n,
        (double x, double y) => x == y,
        (double x, long n) => Numbers.IsWhole(x) && (long)x == n,
        (long m, double y) => Numbers.IsWhole(y) && (long)y == m,
        _ => false,
    };

    /// <summary>The sign of a before b, of two numbers or two texts; null where they have no order.</summary>
    public static int? Order(object a, object b) => (Numbers.Of(a), Numbers.Of(b), a, b) switch
    {
        (long m, long n, _, _) => m.CompareTo(n),
        ({ } m, { } n, _, _) => Numbers.Float(m).CompareTo(Numbers.Float(n)),
        (_, _, string x, string y) => CodePoints.Compare(x, y),
        _ => null,
    };

    public static bool Contains(object container, object value, Site site)
    {
        switch (container)
        {
            case string text:
                if (value is not string part) throw site.Fail($"only a text can be in a text, and not {Kinds.Of(value)}");
                site.Search(text.Length, part.Length);
                return text.Contains(part, StringComparison.Ordinal);
            case Mapping mapping:
                return site.GetKey(mapping, value) is not null;
            default:
                return Elements.Of(container, site).Any(element => SameElement(element, value, site));
        }
    }

    private static bool Ordered(string sign, object left, object right, Site site)
    {
        site.Step();
        if ((left as Undefined ?? right as Undefined) is { } undefined) throw site.Fail(undefined.Why);
        if (left is double.NaN || right is double.NaN) return false;
        if (left is string a && right is string b) site.Characters(Math.Min(a.Length, b.Length));
        if (left is Sequence x && right is Sequence y && x.Kind == y.Kind && x.Kind is SequenceKind.List or SequenceKind.Tuple)
        {
            // The first elements that differ decide.
            foreach (var (first, second) in x.Items.Zip(y.Items))
            {
                if (!SameElement(first, second, site)) return Ordered(sign, first, second, site);
            }

            return Matches(sign, x.Items.Count - y.Items.Count);
        }

        return Matches(sign, Order(left, right) ?? throw site.Fail($"'{sign}' does not go with {Kinds.Of(left)} and {Kinds.Of(right)}"));
    }

    private static bool Matches(string sign, int order) => sign switch
    {
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    };
}
