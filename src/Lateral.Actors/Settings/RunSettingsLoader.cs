using System.Text.Json;
using Lateral.Configuration;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary>A run's settings and the resolved tree they were read from, which is what a run directory keeps.</summary>
public sealed record LoadedSettings(RunSettings Settings, ConfigObject Resolved);

/// <summary>
/// Files and command-line settings to a run. Precedence, lowest first: the embedded reference.conf, the run's name from the
/// first file's name, the files left to right, the settings.
/// </summary>
public static class RunSettingsLoader
{
    /// <summary>hocon/reference.conf: every key with its default, part of the program.</summary>
    public static HoconText Reference { get; } = new(ReadReference());

    /// <param name="sets">HOCON lines such as <c>rollout.temperature=0.9</c></param>
    /// <exception cref="ConfigException">every mistake in the files, the settings, and between keys</exception>
    public static LoadedSettings Load(IReadOnlyList<string> files, IEnumerable<string> sets, HoconOptions? options = null)
    {
        var name = new HoconText(Set("run.name", files.Count > 0 ? Path.GetFileNameWithoutExtension(files[0]) : "run"), "the file's name");
        var root = Hocon.Load(files, sets, options, Reference, name);
        return new LoadedSettings(RunSettingsReader.Read(root), root);
    }

    /// <summary>A setting whose value is text, whatever characters it has.</summary>
    public static string Set(string key, string text) => $"{key} = {JsonSerializer.Serialize(text)}";

    private static string ReadReference()
    {
        using var stream = typeof(RunSettingsLoader).Assembly.GetManifestResourceStream("reference.conf")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
