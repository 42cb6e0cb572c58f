using System.Collections.Immutable;
using Lateral.Configuration;
using Lateral.Core.Prompts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary><c>task {}</c> over <c>tasks.NAME {}</c>; nothing of it where rows are read from files.</summary>
internal static class TaskSection
{
    public static TaskSettings Read(ConfigReader config, DataSettings? data)
    {
        var (task, catalogue) = (config.Section("task"), new Catalogue(config.Section("tasks")));
        if (data is not null)
        {
            _ = task.Has("name");
            return new TaskSettings(DataSection.TaskName(data), ImmutableSortedDictionary<string, string>.Empty);
        }

        var name = catalogue.Named(task, "name");
        return new TaskSettings(name ?? "", catalogue.Choose(name, task));
    }
}
