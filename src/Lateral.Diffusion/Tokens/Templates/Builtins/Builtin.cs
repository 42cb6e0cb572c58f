namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>The values of a call's arguments.</summary>
internal sealed record Arguments(IReadOnlyList<object> Positional, IReadOnlyList<(string Name, object Value)> Named)
{
    public static Arguments None { get; } = new([], []);
}

/// <summary>A filter, test, method or function that is built in.</summary>
/// <param name="Called">how messages call it: <c>the filter 'trim'</c></param>
/// <param name="Parameters">their names in order; null = it looks at its arguments itself</param>
/// <param name="Required">how many of them have to be given</param>
/// <param name="Body">takes what it is applied to and the arguments</param>
internal sealed record Builtin(string Called, string[]? Parameters, int Required, Func<Site, object, Bound, object> Body)
{
    public object Invoke(Site site, object subject, Arguments arguments)
    {
        if (Mistake(arguments.Positional.Count, arguments.Named.Select(argument => argument.Name)) is { } mistake) throw site.Fail(mistake);
        var values = new object?[Parameters?.Length ?? 0];
        for (var i = 0; i < values.Length && i < arguments.Positional.Count; i++) values[i] = arguments.Positional[i];
        foreach (var (name, value) in Parameters is null ? [] : arguments.Named) values[Array.IndexOf(Parameters!, name)] = value;
        // Filters apply filters to elements, and those others: that is depth too.
        site.Meter.Enter(site.At);
        var result = Body(site, subject, new Bound(site, Called, Parameters ?? [], values, arguments));
        site.Meter.Leave();
        return result;
    }

    /// <summary>What is wrong with arguments of these numbers and names; null = nothing.</summary>
    public string? Mistake(int positional, IEnumerable<string> named)
    {
        if (Parameters is null) return null;
        var takes = Parameters.Length == 0 ? "takes no arguments" : $"takes {string.Join(", ", Parameters)}";
        if (positional > Parameters.Length) return $"{Called} {takes}; {positional} were given";
        var given = Parameters.Take(positional).ToHashSet(StringComparer.Ordinal);
        foreach (var name in named)
        {
            if (!Parameters.Contains(name, StringComparer.Ordinal)) return $"{Called} {takes}, and no '{name}'";
            if (!given.Add(name)) return $"{Called} is given '{name}' twice";
        }

        return Parameters.Take(Required).FirstOrDefault(name => !given.Contains(name)) is { } missing ? $"{Called} needs '{missing}'" : null;
    }
}

/// <summary>Arguments in the order of the parameters, absent ones null, and as what they are used. Texts are paid for: what is done with one takes as long as it is.</summary>
internal sealed class Bound(Site site, string called, string[] parameters, object?[] values, Arguments all)
{
    public Arguments All => all;

    public object? this[int index] => values[index];

    public object Value(int index, object absent) => values[index] ?? absent;

    /// <summary>A text; none and an absent argument are null.</summary>
    public string? OptionalText(int index) => values[index] switch
    {
        null or None => null,
        string text => site.Made(text),
        var other => throw Wrong(index, "a text", other),
    };

    public string Text(int index) => OptionalText(index) ?? throw Wrong(index, "a text", None.Value);

    public long Whole(int index, long absent) => values[index] is null or None ? absent : Numbers.Of(values[index]!) is long number ? number : throw Wrong(index, "an integer", values[index]!);

    public bool Flag(int index, bool absent = false) => values[index] is { } value ? Kinds.IsTrue(value) : absent;

    private TemplateException Wrong(int index, string due, object value) => site.Fail($"{called} needs {due} as '{parameters[index]}' and was given {Kinds.Of(value)}");
}
