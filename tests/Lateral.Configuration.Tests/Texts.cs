namespace Lateral.Configuration.Tests;

/// <summary>Loads texts from memory: no test reads the machine's own environment or files.</summary>
internal static class Texts
{
    public static HoconOptions Options(IReadOnlyDictionary<string, string>? files = null, IReadOnlyDictionary<string, string>? environment = null) => new()
    {
        Environment = name => environment?.GetValueOrDefault(name),
        ReadFile = path => files?.GetValueOrDefault(path.Replace('\\', '/')),
    };

    public static ConfigObject Parse(string text, IReadOnlyDictionary<string, string>? environment = null) =>
        Hocon.ParseText(text, "t.conf", Options(environment: environment));

    public static string Json(string text) => CanonicalJson.Write(Parse(text));

    /// <summary>All errors of a text, one per line; fails when there is none.</summary>
    public static string Errors(string text) => Assert.Throws<ConfigException>(() => Parse(text)).Message;

    public static string FileErrors(string first, params (string Name, string Text)[] files) => Assert.Throws<ConfigException>(() =>
        Hocon.Load([first], [], Options(files.ToDictionary(f => f.Name, f => f.Text)))).Message;

    public static string FileJson(string first, params (string Name, string Text)[] files) =>
        CanonicalJson.Write(Hocon.Load([first], [], Options(files.ToDictionary(f => f.Name, f => f.Text))));

    /// <summary>An expectation that begins with "!" is the position of the first error, any other is canonical JSON.</summary>
    public static void Check(string text, string expected)
    {
        if (expected.StartsWith('!')) Assert.StartsWith(expected[1..] + "  ", Errors(text), StringComparison.Ordinal);
        else Assert.Equal(expected, Json(text));
    }

    /// <summary>Reads a section "s" with one getter and returns the errors, one per line.</summary>
    public static string ReadErrors(string text, Action<ConfigReader> read)
    {
        var errors = new List<ConfigError>();
        read(new ConfigReader(Parse(text), errors));
        return string.Join('\n', errors);
    }
}
