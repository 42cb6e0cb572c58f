using System.Collections.Immutable;
using Lateral.Configuration;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary>
/// <c>task {}</c> over <c>tasks.NAME {}</c>: the catalogue names the tasks and gives each of their keys its default. Ranges
/// belong to the task; here a value has to be of its default's kind.
/// </summary>
internal static class TaskSection
{
    public static TaskSettings Read(ConfigReader config)
    {
        var task = config.Section("task");
        var catalogue = config.Sections("tasks");
        foreach (var entry in catalogue.Values) _ = Parameters(entry);
        if (!task.Has("name"))
        {
            task.Error("name", $"must be set: one of {string.Join(", ", catalogue.Keys)} - write task.name = {catalogue.Keys.First()}");
            return new TaskSettings("", ImmutableSortedDictionary<string, string>.Empty);
        }

        var name = task.OneOf("name", [.. catalogue.Keys]);
        var defaults = catalogue[name];
        var parameters = Parameters(defaults);
        foreach (var key in parameters.Keys.Where(task.Has))
        {
            if (defaults.Value.Find(key) is ConfigScalar { Kind: ScalarKind.Number } && task.Value.Find(key) is not ConfigScalar { Kind: ScalarKind.Number })
                task.Double(key);
            parameters = parameters.SetItem(key, task.String(key));
        }

        return new TaskSettings(name, parameters);
    }

    private static ImmutableSortedDictionary<string, string> Parameters(ConfigReader section) =>
        section.Value.Fields.Keys.ToImmutableSortedDictionary(key => key, key => section.String(key), StringComparer.Ordinal);
}
