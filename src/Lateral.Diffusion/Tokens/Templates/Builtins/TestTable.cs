using System.Collections.Frozen;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>The tests that are implemented: what <c>is</c> asks.</summary>
internal static class TestTable
{
    private static readonly FrozenDictionary<string, Builtin> Known = Build();

    public static Builtin? Find(string name) => Known.GetValueOrDefault(name);

    public static string NotImplemented(string name) => $"the test '{name}' is not implemented; there are {string.Join(", ", Known.Keys.Where(name => char.IsLetter(name[0])).Order(StringComparer.Ordinal))}";

    private static FrozenDictionary<string, Builtin> Build()
    {
        var tests = new Dictionary<string, Builtin>(StringComparer.Ordinal);
        Of("defined", value => value is not Undefined);
        Of("undefined", value => value is Undefined);
        Of("none", value => value is None);
        Of("string", value => value is string);
        Of("number", value => value is bool or long or double);
        Of("integer", value => value is long);
        Of("float", value => value is double);
        Of("boolean", value => value is bool);
        Of("true", value => value is true);
        Of("false", value => value is false);
        Of("mapping", value => value is Mapping);
        Of("iterable", Elements.Has);
        // Whatever has a length and takes a key.
        Of("sequence", value => value is string or Mapping or Undefined or Sequence { HasPositions: true });
        // What is undefined can be called in Python, to tell that it is.
        Of("callable", value => value is Function or Undefined);
        Add("odd", [], (site, value, _) => Comparing.Same(Operators.Apply("%", value, 2L, site), 1L, site));
        Add("even", [], (site, value, _) => Comparing.Same(Operators.Apply("%", value, 2L, site), 0L, site));
        Add("divisibleby", ["num"], (site, value, arguments) => Comparing.Same(Operators.Apply("%", value, arguments[0]!, site), 0L, site));
        Compare("==", "eq", "equalto");
        Compare("!=", "ne");
        Compare("<", "lt", "lessthan");
        Compare("<=", "le");
        Compare(">", "gt", "greaterthan");
        Compare(">=", "ge");
        Add("in", ["seq"], (site, value, arguments) => Comparing.Contains(arguments[0]!, value, site));
        return tests.ToFrozenDictionary(StringComparer.Ordinal);

        void Add(string name, string[] parameters, Func<Site, object, Bound, object> body) => tests[name] = new($"the test '{name}'", parameters, parameters.Length, body);

        void Of(string name, Func<object, bool> holds) => Add(name, [], (_, value, _) => holds(value));

        // Under its sign too, as selectattr names it.
        void Compare(string sign, params string[] names)
        {
            foreach (var name in names.Append(sign)) Add(name, ["other"], (site, value, arguments) => Comparing.Holds(sign, value, arguments[0]!, site));
        }
    }
}
