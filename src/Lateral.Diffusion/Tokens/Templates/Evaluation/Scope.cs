namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>
/// The variables of a template, a loop's round or a macro's call; what is not in one is looked for in the one around it. What is set inside ends with it, as in Jinja: namespaces are how a value gets out.
/// </summary>
internal sealed class Scope(Scope? around)
{
    private Dictionary<string, object>? _values;

    public object? Get(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Around)
        {
            if (scope._values is { } values && values.TryGetValue(name, out var value)) return value;
        }

        return null;
    }

    public void Set(string name, object value) => (_values ??= new(StringComparer.Ordinal))[name] = value;

    private Scope? Around => around;
}
