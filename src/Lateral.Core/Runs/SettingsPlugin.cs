using System.Collections.Immutable;

namespace Lateral.Core.Runs;

/// <summary>What a plugin (a task, a reward, an algorithm, a transport) brings to the configuration.</summary>
/// <param name="Catalogue">
/// Where it is registered. <c>tasks</c> and <c>reward.kinds</c> are catalogues that <c>task {}</c> and the reward pools choose from
/// and lay their own keys over; in any other place the plugin has the section <c>Catalogue.Name</c> to itself.
/// </param>
/// <param name="Reference">HOCON: a line with the default of each key below a comment; empty where reference.conf has them</param>
/// <param name="Check">reads the keys where the plugin is used and tells what is wrong with them; must not throw</param>
public sealed record SettingsPlugin(string Catalogue, string Name, string Reference, Func<PluginUse, IEnumerable<SettingMistake>> Check)
{
    public string Path => $"{Catalogue}.{Name}";
}

/// <summary>One place where a plugin is used. Example: <c>("reward.pools.answer", { right-numbers = 0.1 }, ...)</c>.</summary>
/// <param name="Values">every key of the plugin as written, defaults included</param>
/// <param name="Settings">the whole run, for rules between the plugin's keys and others; where a key is wrong its least value stands</param>
public sealed record PluginUse(string Path, ImmutableSortedDictionary<string, string> Values, RunSettings Settings);

/// <summary>A mistake in a value of the configuration.</summary>
/// <param name="Path">the value's key from the root; the reader finds the place where it was written</param>
/// <param name="Message">what, why and how to fix</param>
public sealed record SettingMistake(string Path, string Message);
