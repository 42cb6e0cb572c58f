namespace Lateral.Configuration;

/// <summary>
/// The entry to the loader: public HOCON (https://github.com/lightbend/config/blob/main/HOCON.md) with the origin of every value.
/// Layers merge from left to right and are resolved once, after merging, so that an overlay changes what earlier files refer to.
/// Errors are thrown together as one <see cref="ConfigException"/>; no input makes the loader hang, overflow or throw anything else.
/// </summary>
public static class Hocon
{
    /// <summary>Parses and resolves one text. <paramref name="source"/> names it in origins; includes are relative to it.</summary>
    public static ConfigObject ParseText(string text, string source, HoconOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(source);
        var diagnostics = new Diagnostics();
        options ??= new HoconOptions();
        var root = new SourceReader(options, diagnostics).ParseText(text, source);
        var resolved = Resolve(root, options, diagnostics);
        return diagnostics.Any ? throw new ConfigException(diagnostics.Sorted()) : resolved!;
    }

    /// <summary>
    /// Lowest to highest: <paramref name="reference"/> texts, <paramref name="files"/> left to right, <paramref name="sets"/>
    /// (each one HOCON line such as <c>rollout.temperature=0.9</c>, origin <c>--set</c>, line = its position).
    /// </summary>
    public static ConfigObject Load(IEnumerable<string> files, IEnumerable<string> sets, HoconOptions? options = null, params ReadOnlySpan<HoconText> reference)
    {
        var errors = new List<ConfigError>();
        var root = TryLoad(files, sets, errors, options, reference);
        return errors.Count > 0 ? throw new ConfigException(errors) : root!;
    }

    /// <summary>
    /// As <see cref="Load"/>, but adds the mistakes to <paramref name="errors"/> and still returns what could be read, so that a
    /// <see cref="ConfigReader"/> can add the mistakes in types, ranges and names to the same list; it stays silent about values
    /// that are wrong already. Null when braces do not pair up: everything after would be guesswork.
    /// </summary>
    public static ConfigObject? TryLoad(IEnumerable<string> files, IEnumerable<string> sets, ICollection<ConfigError> errors, HoconOptions? options = null, params ReadOnlySpan<HoconText> reference)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(sets);
        ArgumentNullException.ThrowIfNull(errors);
        var diagnostics = new Diagnostics();
        options ??= new HoconOptions();
        var reader = new SourceReader(options, diagnostics);
        var root = new ObjectNode(new Origin("config", 0, 0));
        foreach (var text in reference) Lay(reader.ParseText(text.Text, text.Source));
        foreach (var file in files) Lay(reader.ParseFile(file));
        // One text, so that the position of a mistake tells which --set it was.
        if (string.Join('\n', sets) is { Length: > 0 } lines) root.Absorb(reader.ParseText(lines, "--set"));
        var resolved = Resolve(root, options, diagnostics);
        foreach (var error in diagnostics.Sorted()) errors.Add(error);
        return resolved;

        void Lay(ObjectNode layer)
        {
            root.Absorb(layer);
            root.Origin = layer.Origin;
        }
    }

    private static ConfigObject? Resolve(ObjectNode root, HoconOptions options, Diagnostics diagnostics) =>
        diagnostics.StructureBroken ? null : new Resolver(root, options, diagnostics).Resolve();
}
