using System.Text.Json;
using Lateral.Configuration;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary>A run's settings and the resolved tree they were read from, which is what a run directory keeps.</summary>
public sealed record LoadedSettings(RunSettings Settings, ConfigObject Resolved);

/// <summary>
/// Files and command-line settings to a run. Precedence, lowest first: the embedded reference.conf, the plugins' texts, the
/// run's name from the first file's name, the files left to right, the settings.
/// </summary>
public static class RunSettingsLoader
{
    /// <summary>hocon/reference.conf: every key with its default, part of the program.</summary>
    public static HoconText Reference { get; } = new(ReadReference());

    /// <param name="sets">HOCON lines such as <c>rollout.temperature=0.9</c></param>
    /// <param name="plugins">tasks, rewards and others that bring keys or rules of their own</param>
    /// <exception cref="ConfigException">every mistake in the files, the settings, and between keys, in the order of the files</exception>
    public static LoadedSettings Load(IReadOnlyList<string> files, IEnumerable<string> sets, HoconOptions? options = null, IReadOnlyList<SettingsPlugin>? plugins = null)
    {
        var errors = new List<ConfigError>();
        var root = TryResolve(files, sets, errors, options, plugins ?? []);
        var settings = root is null ? null : RunSettingsReader.Read(root, Defaults(plugins ?? []), plugins ?? [], errors);
        return errors.Count == 0 ? new LoadedSettings(settings!, root!) : throw new ConfigException(InOrder(errors));
    }

    /// <summary>The resolved tree without reading it into settings: what can be shown of a configuration that another version wrote.</summary>
    /// <exception cref="ConfigException">the text is not HOCON, or refers to what is not there</exception>
    public static ConfigObject Resolve(IReadOnlyList<string> files, IEnumerable<string> sets, HoconOptions? options = null, IReadOnlyList<SettingsPlugin>? plugins = null)
    {
        var errors = new List<ConfigError>();
        var root = TryResolve(files, sets, errors, options, plugins ?? []);
        return errors.Count == 0 ? root! : throw new ConfigException(InOrder(errors));
    }

    /// <summary>Every default with a comment above it, the plugins' included: what <c>config explain</c> looks up.</summary>
    public static ReferenceGuide Guide(IReadOnlyList<SettingsPlugin>? plugins = null)
    {
        var defaults = Defaults(plugins ?? []);
        var texts = (plugins ?? []).Select(plugin => (Tree(PluginSections.Layer(plugin)), plugin.Reference)).Prepend((Tree(Reference), Reference.Text));
        return new ReferenceGuide(texts, path => PluginSections.AlsoAt(defaults, path));

        static ConfigObject Tree(HoconText text) => Hocon.ParseText(text.Text, text.Source);
    }

    /// <summary>A setting whose value is text, whatever characters it has.</summary>
    public static string Set(string key, string text) => $"{key} = {JsonSerializer.Serialize(text)}";

    private static ConfigObject? TryResolve(IReadOnlyList<string> files, IEnumerable<string> sets, List<ConfigError> errors, HoconOptions? options, IReadOnlyList<SettingsPlugin> plugins)
    {
        var name = new HoconText(Set("run.name", files.Count > 0 ? Path.GetFileNameWithoutExtension(files[0]) : "run"), "the file's name");
        return Hocon.TryLoad(files, sets, errors, options, [Reference, .. plugins.Select(PluginSections.Layer), name]);
    }

    private static ConfigObject Defaults(IReadOnlyList<SettingsPlugin> plugins) => Hocon.Load([], [], null, [Reference, .. plugins.Select(PluginSections.Layer)]);

    /// <summary>By file in the order in which they first appear, then by place: the order in which a user mends them.</summary>
    private static List<ConfigError> InOrder(List<ConfigError> errors)
    {
        var sources = errors.Select(error => error.Origin.Source).Distinct().ToList();
        return [.. errors.Distinct().OrderBy(error => sources.IndexOf(error.Origin.Source)).ThenBy(error => error.Origin.Line).ThenBy(error => error.Origin.Column)];
    }

    private static string ReadReference()
    {
        using var stream = typeof(RunSettingsLoader).Assembly.GetManifestResourceStream("reference.conf")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
