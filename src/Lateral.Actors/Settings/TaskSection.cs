using Lateral.Configuration;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary><c>task {}</c> over <c>tasks.NAME {}</c>.</summary>
internal static class TaskSection
{
    public static TaskSettings Read(ConfigReader config)
    {
        var (task, catalogue) = (config.Section("task"), new Catalogue(config.Section("tasks")));
        var name = catalogue.Named(task, "name");
        return new TaskSettings(name ?? "", catalogue.Choose(name, task));
    }
}
