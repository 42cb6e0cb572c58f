namespace Lateral.Configuration;

/// <summary>
/// Reads one section of a resolved config into a settings record. Nothing throws: every mistake is added to the shared list
/// (key, value, bound, origin) and a default is returned, so one pass over all sections finds all mistakes. Reading a key makes
/// it known; <see cref="CheckUnknown"/> reports the rest. Keys may be dotted: <c>s.Int("restart.max", min: 1)</c>.
/// With a reference tree a refusal suggests the key's default there instead of its bound.
/// <example><code>
/// var errors = new List&lt;ConfigError&gt;();
/// var root = new ConfigReader(Hocon.Load(files, sets, null, reference), errors);
/// var rollout = root.Section("rollout");
/// var groups = rollout.Int("groups-per-step", min: 1, max: 4096);
/// root.CheckUnknown();
/// if (errors.Count > 0) throw new ConfigException(errors);
/// </code></example>
/// </summary>
public sealed partial class ConfigReader
{
    private readonly IList<ConfigError> _errors;
    private readonly ConfigReader? _parent;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ConfigReader> _sections = new(StringComparer.Ordinal);
    private readonly HashSet<string> _open = new(StringComparer.Ordinal);

    /// <summary>True when the section is absent or wrong and that has been reported: its keys are then not reported one by one.</summary>
    private readonly bool _silent;

    /// <summary>True when the text could not be read in full: what is missing then proves nothing.</summary>
    private readonly bool _incomplete;

    /// <summary>Where this section's keys have their defaults; the first that has a key is what its refusal suggests.</summary>
    private readonly List<ConfigObject> _defaults = [];

    /// <param name="errors">takes the mistakes; when it holds some already the text was not read in full, and nobody is told what is missing</param>
    /// <param name="reference">the same tree as the program ships it</param>
    public ConfigReader(ConfigObject root, IList<ConfigError> errors, ConfigObject? reference = null)
        : this(root, errors, null, "", silent: false)
    {
        if (reference is not null) _defaults.Add(reference);
    }

    private ConfigReader(ConfigObject section, IList<ConfigError> errors, ConfigReader? parent, string path, bool silent)
    {
        Value = section;
        Path = path;
        _errors = errors;
        _parent = parent;
        _incomplete = parent?._incomplete ?? errors.Count > 0;
        _silent = silent;
    }

    /// <summary>This section as the program ships it; null for one that only users write, such as <c>reward.pools.answer</c>.</summary>
    public ConfigObject? Reference => _defaults.FirstOrDefault();

    /// <summary>Names a section of the reference that this one takes its defaults from.</summary>
    public void SuggestFrom(ConfigObject? defaults)
    {
        if (defaults is not null && !_defaults.Contains(defaults)) _defaults.Add(defaults);
    }

    /// <summary>The section as it stands.</summary>
    public ConfigObject Value { get; }

    /// <summary>From the root, as a user would write it; empty for the root.</summary>
    public string Path { get; }

    public Origin Origin => Value.Origin;

    /// <summary>Where a key's value was written, or the section's own origin when it is absent.</summary>
    public Origin OriginOf(string key) => Locate(key) is var (reader, name) && reader.Value.Fields.TryGetValue(name, out var value) ? value.Origin : Origin;

    /// <summary>True when the key is present and not null. Asking makes the key known.</summary>
    public bool Has(string key)
    {
        var (reader, name) = Locate(key);
        reader._known.Add(name);
        return reader.Value.Fields.TryGetValue(name, out var value) && value is not ConfigScalar { Kind: ScalarKind.Null };
    }

    /// <summary>A required subsection. When it is absent that is one error, and the returned reader gives defaults in silence.</summary>
    public ConfigReader Section(string key)
    {
        var (reader, name) = Locate(key);
        return reader.Child(name, required: true)!;
    }

    /// <summary>A subsection that may be absent (or null): then null.</summary>
    public ConfigReader? OptionalSection(string key)
    {
        var (reader, name) = Locate(key);
        return Has(key) ? reader.Child(name, required: true) : null;
    }

    /// <summary>The named entries of a map such as <c>reward.pools</c>: one reader per entry, in the order of the files.</summary>
    public IReadOnlyDictionary<string, ConfigReader> Sections(string key)
    {
        var map = Section(key);
        var entries = new OrderedDictionary<string, ConfigReader>(StringComparer.Ordinal);
        // A null entry is how an overlay removes one that a lower layer defines.
        foreach (var (name, value) in map.Value.Fields)
            if (value is ConfigScalar { Kind: ScalarKind.Null }) map._known.Add(name);
            else entries.Add(name, map.Child(name, required: true)!);
        return entries;
    }

    /// <summary>The value as it stands, for sections that somebody else reads (<c>akka</c>): everything below it counts as known.</summary>
    public ConfigValue? Raw(string key)
    {
        var (reader, name) = Locate(key);
        reader._open.Add(name);
        return reader.Value.Fields.GetValueOrDefault(name);
    }

    /// <summary>Declares keys whose content is free; keys that begin with <c>x-</c> always are.</summary>
    public void Open(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys) _open.Add(key);
    }

    /// <summary>Adds an error of the caller's own, such as a rule between two keys, at the value of <paramref name="key"/> or <paramref name="at"/> another place.</summary>
    public void Error(string key, string message, Origin? at = null)
    {
        if (!_silent) _errors.Add(new ConfigError(at ?? OriginOf(key), $"{FullPath(key)} {message}"));
    }

    /// <summary>As <see cref="Error"/>, for a key that only users can give: it points at what they wrote around it, never at the reference.</summary>
    public void Missing(string key, string message)
    {
        if (_incomplete) return;
        var (reader, name) = Locate(key);
        var place = reader.Value.Fields.GetValueOrDefault(name)?.Origin is { } own && own != reader.Reference?.Fields.GetValueOrDefault(name)?.Origin ? own : null;
        for (var section = reader; place is null; section = section._parent!)
            if (section._parent is null || section.Origin != section.Reference?.Origin) place = section.Origin;
        Error(key, message, place);
    }

    private string FullPath(string key) => Path.Length == 0 ? key : $"{Path}.{key}";

    private (ConfigReader Reader, string Key) Locate(string key)
    {
        var reader = this;
        while (!reader.Value.Fields.ContainsKey(key) && key.IndexOf('.', StringComparison.Ordinal) is var dot and > 0)
        {
            reader = reader.Child(key[..dot], required: false)!;
            key = key[(dot + 1)..];
        }

        return (reader, key);
    }

    /// <summary>The reader of one subsection, made once, so that what is known about it stays in one place.</summary>
    private ConfigReader Child(string name, bool required)
    {
        if (_sections.TryGetValue(name, out var known)) return known;
        Value.Fields.TryGetValue(name, out var value);
        var path = ConfigPath.Join(Path, name);
        var child = value as ConfigObject;
        if (child is null && !_silent && value is not ConfigScalar { IsPlaceholder: true })
        {
            if (value is not null and not ConfigScalar { Kind: ScalarKind.Null }) _errors.Add(new ConfigError(value.Origin, $"{path} must be a section, got {Describe(value)} - write {name} {{ key = value }}"));
            else if (required && !_incomplete) _errors.Add(new ConfigError(Origin, $"section {path} is missing - write {name} {{ ... }}"));
        }

        // Without "required" the key that is asked for below it reports what is missing.
        var silent = child is null && (_silent || required || value is not null);
        var reader = new ConfigReader(child ?? new ConfigObject(Origin, new Dictionary<string, ConfigValue>(StringComparer.Ordinal)), _errors, this, path, silent);
        foreach (var defaults in _defaults) reader.SuggestFrom(defaults.Find(name) as ConfigObject);
        return _sections[name] = reader;
    }
}
