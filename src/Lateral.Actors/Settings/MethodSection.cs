using System.Collections.Immutable;
using Lateral.Configuration;
using Lateral.Core.Learning;

namespace Lateral.Actors.Settings;

/// <summary>
/// A method that <c>algorithm {}</c> or <c>warmup {}</c> chooses from a catalogue such as <c>corrections {}</c>: the entry holds the defaults of its knobs, and
/// any of them may be written in the chooser itself. Knobs of other entries are accepted there and without effect, so that files can be laid
/// over one another.
/// </summary>
internal static class MethodSection
{
    /// <param name="key">of <paramref name="chooser"/>, which names the method</param>
    public static MethodSettings Read(ConfigReader config, string catalogue, ConfigReader chooser, string key, IReadOnlyList<IMethodRule> rules)
    {
        var section = config.Section(catalogue);
        var name = chooser.OneOf(key, [.. rules.Select(rule => rule.Name)]);
        var chosen = rules.FirstOrDefault(rule => rule.Name == name) ?? rules[0];
        // Every entry is read: a mistake in one that is not chosen today is a mistake.
        var entries = rules.ToDictionary(rule => rule.Name, rule => section.Section(rule.Name), StringComparer.Ordinal);
        foreach (var rule in rules)
        {
            foreach (var knob in rule.Knobs)
            {
                _ = Value(entries[rule.Name], knob);
                _ = chooser.Has(knob.Name);
            }
        }

        chooser.SuggestFrom(entries[chosen.Name].Reference);
        return new(chosen.Name, chosen.Knobs.ToImmutableSortedDictionary(
            knob => knob.Name, knob => Value(chooser.Has(knob.Name) ? chooser : entries[chosen.Name], knob), StringComparer.Ordinal));
    }

    private static double Value(ConfigReader from, Knob knob) =>
        knob.Whole ? from.Int(knob.Name, (int)knob.Least, (int)knob.Most) : from.Double(knob.Name, knob.Least, knob.Most);
}
