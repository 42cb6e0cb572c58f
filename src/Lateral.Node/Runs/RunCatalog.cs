using System.Globalization;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core.Runs;

namespace Lateral.Node.Runs;

/// <summary>A run by name, and perhaps one of its steps: <c>quickstart@120</c>.</summary>
public sealed record RunReference(string Name, int? Step)
{
    /// <exception cref="UserException">the part after '@' is not a step</exception>
    public static RunReference Parse(string text)
    {
        var at = text.LastIndexOf('@');
        if (at < 0) return new RunReference(text, null);
        return int.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var step)
            ? new RunReference(text[..at], step)
            : throw new UserException(ExitCode.Usage, $"'{text}' must be NAME or NAME@STEP with a whole number, for example {text[..at]}@100");
    }
}

/// <summary>One line of <c>runs</c>.</summary>
/// <param name="State"><c>running</c>, <c>finished</c>, <c>stopped</c> or <c>unreadable</c></param>
/// <param name="ForkedFrom">the checkpoint it began from, <c>NAME@STEP</c>; null = it made its own base</param>
public sealed record RunEntry(string Name, string Task, int Step, int Steps, string State, double? Reward, double? PassAt1, string? ForkedFrom = null);

/// <summary>The runs of one folder.</summary>
public sealed class RunCatalog(string folder)
{
    /// <summary>Where runs lie when nothing says otherwise: <c>run.dir</c> of reference.conf.</summary>
    public static string DefaultFolder { get; } =
        ((ConfigScalar)Hocon.ParseText(RunSettingsLoader.Reference.Text, RunSettingsLoader.Reference.Source).Find("run", "dir")!).Text;

    public IEnumerable<RunDirectory> All() =>
        Directory.Exists(folder)
            ? Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).Select(path => new RunDirectory(Path.GetFullPath(path))).Where(run => run.Exists)
            : [];

    /// <exception cref="UserException">there is no such run; the nearest name is suggested</exception>
    public RunDirectory Find(string name)
    {
        var run = new RunDirectory(Path.GetFullPath(Path.Combine(folder, name)));
        if (name.Length > 0 && Path.GetFileName(name) == name && run.Exists) return run;
        var names = All().Select(known => known.Name).ToList();
        var advice = Suggestions.Closest(name, names) is { } near ? $"; did you mean {near}?"
            : names.Count > 0 ? $"; there are {string.Join(", ", names)}"
            : "; there are no runs there (--runs-dir names another folder)";
        throw new UserException(ExitCode.Usage, $"no run '{name}' in {Path.GetFullPath(folder)}{advice}");
    }

    /// <summary>The settings a run was started with, at the place where the run lies now.</summary>
    /// <exception cref="ConfigException">the stored configuration is not what this version reads</exception>
    public LoadedSettings Load(RunDirectory run, IEnumerable<string> sets) => RunSettingsLoader.Load(
        File.Exists(run.ConfigSecrets) ? [run.ConfigResolved, run.ConfigSecrets] : [run.ConfigResolved], [RunSettingsLoader.Set("run.dir", folder), RunSettingsLoader.Set("run.name", run.Name), .. sets]);

    /// <summary>A run whose stored configuration this version cannot read is <c>unreadable</c>, so that it hides no other.</summary>
    public RunEntry Describe(RunDirectory run)
    {
        try
        {
            return Describe(run, Load(run, []).Settings);
        }
        catch (ConfigException)
        {
            return new RunEntry(run.Name, "?", 0, 0, "unreadable", null, null);
        }
    }

    private static RunEntry Describe(RunDirectory run, RunSettings settings)
    {
        var last = JsonLinesFile.Read(run.Metrics).Select(line => (JsonElement?)line).LastOrDefault();
        var evaluated = JsonLinesFile.Read(run.Evaluations).Select(line => (JsonElement?)line).LastOrDefault();
        var step = last?.GetProperty("step").GetInt32() ?? 0;
        // The base is evaluated once it is there: without that a run of no steps has not even begun.
        var state = RunLock.IsHeld(run) ? "running" : step >= settings.Steps && evaluated is not null ? "finished" : "stopped";
        return new RunEntry(run.Name, settings.Task.Name, step, settings.Steps, state, Number(last, "reward/mean"), Number(evaluated, "eval/pass_at_1"), settings.ForkedFrom);
    }

    private static double? Number(JsonElement? line, string key) =>
        line is { } element && element.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}
