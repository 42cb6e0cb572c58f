using System.Collections.Immutable;
using Lateral.Configuration;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary>What plugins registered: their texts below every file, their keys read like any other, their rules with a place.</summary>
internal static class PluginSections
{
    public const string Tasks = "tasks", RewardKinds = "reward.kinds";

    /// <summary>The plugin's text as a layer, at the plugin's place and with its own line numbers.</summary>
    public static HoconText Layer(SettingsPlugin plugin) => new($"{plugin.Path} {{ {plugin.Reference}\n}}", Source(plugin));

    public static string Source(SettingsPlugin plugin) => $"plugin {plugin.Path}";

    /// <summary>The sections that plugins have to themselves; the catalogues are read by those who choose from them.</summary>
    public static ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string>> Read(ConfigReader config, IReadOnlyList<SettingsPlugin> plugins) =>
        plugins.Where(plugin => plugin.Catalogue is not (Tasks or RewardKinds)).ToImmutableSortedDictionary(
            plugin => plugin.Path,
            plugin => Catalogue.Values(config.Section(plugin.Path), config.Section(plugin.Path)),
            StringComparer.Ordinal);

    /// <summary>Where the keys that a chooser takes over are explained: <c>reward.pools.answer.weight</c> in <c>reward.defaults</c>.</summary>
    public static IEnumerable<string> AlsoAt(ConfigObject defaults, string path)
    {
        return path.Split('.') switch
        {
            ["task", var key] => Entries(Tasks).Select(entry => $"{entry}.{key}"),
            ["algorithm", var key] => Entries("likelihoods").Concat(Entries("corrections")).Select(entry => $"{entry}.{key}"),
            ["warmup", var key] => Entries("objectives").Select(entry => $"{entry}.{key}"),
            ["reward", "pools", _, var key] => Entries(RewardKinds).Select(entry => $"{entry}.{key}").Prepend($"reward.defaults.{key}"),
            _ => [],
        };

        IEnumerable<string> Entries(string catalogue) => ((ConfigObject)defaults.Find(catalogue.Split('.'))!).Fields.Keys.Select(name => $"{catalogue}.{name}");
    }

    /// <summary>Asks each plugin about each of its uses. A value that has been refused already is not refused again.</summary>
    public static void Check(RunSettings settings, ConfigObject root, IReadOnlyList<SettingsPlugin> plugins, List<ConfigError> errors)
    {
        foreach (var plugin in plugins)
        {
            foreach (var mistake in Uses(settings, plugin).SelectMany(use => plugin.Check(use)))
            {
                var place = Place(root, mistake.Path, plugin);
                if (errors.All(error => error.Origin != place)) errors.Add(new ConfigError(place, mistake.Message));
            }
        }
    }

    private static IEnumerable<PluginUse> Uses(RunSettings settings, SettingsPlugin plugin) => plugin.Catalogue switch
    {
        Tasks => settings.Task.Name == plugin.Name ? [new PluginUse("task", settings.Task.Parameters, settings)] : [],
        RewardKinds => settings.Pools.Where(pool => pool.Kind == plugin.Name)
            .Select(pool => new PluginUse($"reward.pools.{ConfigPath.RenderKey(pool.Name)}", pool.Parameters, settings)),
        _ => [new PluginUse(plugin.Path, settings.Plugins[plugin.Path], settings)],
    };

    /// <summary>Where the key was written, or its default, or whatever stands around it.</summary>
    private static Origin Place(ConfigObject root, string path, SettingsPlugin plugin)
    {
        var key = path[(path.LastIndexOf('.') + 1)..];
        return (ConfigLeaves.Flatten(root).FirstOrDefault(leaf => leaf.Path == path)?.Value ?? root.Find([.. plugin.Path.Split('.'), key]))?.Origin ?? Around(root, path);
    }

    private static Origin Around(ConfigObject root, string path)
    {
        ConfigValue at = root;
        foreach (var key in path.Split('.')) at = (at as ConfigObject)?.Fields.GetValueOrDefault(key) ?? at;
        return at.Origin;
    }
}
