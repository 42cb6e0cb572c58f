using System.Collections.Immutable;
using System.Globalization;
using Lateral.Configuration;

namespace Lateral.Actors.Settings;

/// <summary>
/// Plugins of one sort by name, such as <c>tasks {}</c> or <c>reward.kinds {}</c>: the reference gives each of their keys its
/// default. Who chooses an entry may hold any of its keys, and its own win. A value has to be of its default's kind; ranges
/// belong to the plugin.
/// </summary>
internal sealed class Catalogue
{
    private readonly OrderedDictionary<string, ConfigReader> _entries = new(StringComparer.Ordinal);

    public Catalogue(ConfigReader section)
    {
        // Only what the program or a plugin brought: a name that nobody registered stays unread and is reported as unknown.
        // One that a file took away is reported as missing, so that there is always something to choose from.
        foreach (var name in section.Reference?.Fields.Keys ?? [])
            _entries.Add(name, section.Section(name));
        foreach (var entry in _entries.Values) _ = Values(entry, entry);
    }

    public IReadOnlyCollection<string> Names => _entries.Keys;

    /// <summary>The entry that a key of the chooser names; null where it names none, which is then reported.</summary>
    public string? Named(ConfigReader chooser, string key)
    {
        if (!chooser.Has(key))
        {
            chooser.Missing(key, $"must be set: one of {string.Join(", ", Names)} - write {key} = {Names.First()}");
            Accept();
            return null;
        }

        var name = chooser.OneOf(key, Names);
        if (chooser.Value.Find(key) is ConfigScalar { Text: var written } && written == name) return name;
        Accept();
        return null;

        // Whose keys the chooser's are is not known, so none of them is called unknown.
        void Accept()
        {
            foreach (var own in _entries.Values.SelectMany(entry => entry.Reference!.Fields.Keys)) _ = chooser.Has(own);
        }
    }

    /// <summary>The keys of an entry as written, with those that <paramref name="chooser"/> holds over them. A key that is null is left out.</summary>
    public ImmutableSortedDictionary<string, string> Choose(string? name, ConfigReader chooser)
    {
        if (name is null) return ImmutableSortedDictionary<string, string>.Empty;
        chooser.SuggestFrom(_entries[name].Reference);
        return Values(_entries[name], chooser);
    }

    internal static ImmutableSortedDictionary<string, string> Values(ConfigReader entry, ConfigReader chooser)
    {
        var values = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (key, standard) in entry.Reference?.Fields ?? ImmutableDictionary<string, ConfigValue>.Empty)
            if (Value(chooser.Has(key) ? chooser : entry, key, standard) is { } value) values[key] = value;
        return values.ToImmutable();
    }

    private static string? Value(ConfigReader from, string key, ConfigValue standard)
    {
        if (!from.Has(key)) return null;
        if (standard is ConfigScalar { Kind: ScalarKind.Number })
        {
            var number = from.Double(key);
            // As written, so that no digit is lost; 20% is only a number once it is read.
            return from.Value.Find(key) is ConfigScalar { Kind: ScalarKind.Number } written ? written.Text : number.ToString("R", CultureInfo.InvariantCulture);
        }

        return standard is ConfigScalar { Text: "true" or "false" or "on" or "off" or "yes" or "no", Quoted: false } ? from.Bool(key) ? "on" : "off" : from.String(key);
    }
}
