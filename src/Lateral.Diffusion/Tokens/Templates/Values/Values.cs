namespace Lateral.Diffusion.Tokens.Templates;

// A template's value is an object: bool, long, double and string stand for themselves, everything else is a type of this folder. It behaves as Python's value of that name does, because templates were written and
// models trained with that.

/// <summary>Python's None.</summary>
internal sealed class None
{
    private None()
    {
    }

    public static None Value { get; } = new();
}

/// <summary>What a name or key has that nobody gave a value: it is written as nothing, is false and empty, and anything else asked of it is a mistake.</summary>
/// <param name="Why">what is not there: <c>'x' is undefined</c></param>
internal sealed record Undefined(string Why);

/// <summary>Elements that are handed out once, as by map and select; afterwards there are none.</summary>
internal sealed class OneTime(IReadOnlyList<object> items)
{
    private int _next;

    public IReadOnlyList<object> TakeAll()
    {
        var rest = _next == 0 ? items : [.. items.Skip(_next)];
        _next = items.Count;
        return rest;
    }

    /// <summary>The next element; null = there is none.</summary>
    public object? TakeOne() => _next < items.Count ? items[_next++] : null;
}

/// <summary>Named values that may be set from inside loops and macros; all else keeps its value once it is made, so that nothing can contain itself.</summary>
internal sealed class Namespace
{
    private readonly Dictionary<string, object> _fields = new(StringComparer.Ordinal);

    public object? Get(string name) => _fields.GetValueOrDefault(name);

    public void Set(string name, object value) => _fields[name] = value;
}

/// <summary>Something that can be called: a macro, a function, or a method of a value.</summary>
internal sealed class Function(string called, Func<Site, Arguments, object> body)
{
    /// <summary>How messages call it: <c>the macro 'x'</c>.</summary>
    public string Called => called;

    public object Call(Site site, Arguments arguments) => body(site, arguments);
}
