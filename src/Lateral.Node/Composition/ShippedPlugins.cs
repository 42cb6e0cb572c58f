using Lateral.Core.Prompts;
using Lateral.Core.Runs;
using Lateral.Diffusion.Tokens;
using Lateral.Rewards.Tasks;
using Lateral.Rewards.Verifiers;

namespace Lateral.Node.Composition;

/// <summary>
/// The tasks and rewards that ship with the program, as the reader of configurations sees them: their keys stand in
/// reference.conf, their rules are asked here, so that every mistake has its place in a file.
/// </summary>
internal static class ShippedPlugins
{
    public static IReadOnlyList<SettingsPlugin> All { get; } =
    [
        .. TaskRegistry.Names.Select(name => new SettingsPlugin("tasks", name, "", CheckTask)),
        .. RunRewards.Kinds.Select(kind => new SettingsPlugin("reward.kinds", kind, "", use => CheckReward(kind, use))),
    ];

    /// <summary>
    /// What is wrong with the room that a run gives its answers; null where nothing is. Without an end token every position counts, so it has to be exact. How many tokens of a model's own tokenizer an
    /// answer takes nobody knows before it is there.
    /// </summary>
    public static string? RoomMistake(RunSettings settings, ITask task, ITokenizer tokenizer)
    {
        if (RunTokenizer.IsModels(settings.Model)) return null;
        var (given, needed) = (settings.Rollout.Spec.GenLength, task.GenLength);
        return given == needed || (given > needed && tokenizer.EndId is not null)
            ? null
            : $"rollout.gen-length = {given}: the answers of task {settings.Task.Name} take {needed} tokens - write rollout.gen-length = {needed}";
    }

    private static IEnumerable<SettingMistake> CheckTask(PluginUse use)
    {
        try
        {
            var task = TaskRegistry.Create(use.Settings.Task.Name, use.Values, use.Settings.Seed);
            // A length that is missing or no number has been reported as that.
            return use.Settings.Rollout.Spec.GenLength > 0 && RoomMistake(use.Settings, task, new CharTokenizer(task.Alphabet!)) is { } mistake
                ? [new SettingMistake("rollout.gen-length", mistake)]
                : [];
        }
        catch (TaskSettingException mistake)
        {
            return [new SettingMistake($"{use.Path}.{mistake.Key}", mistake.Message)];
        }
    }

    private static IEnumerable<SettingMistake> CheckReward(string kind, PluginUse use)
    {
        try
        {
            _ = RunRewards.Create(kind, use.Values, use.Settings.Deterministic);
            return [];
        }
        catch (RewardSettingException mistake)
        {
            return [new SettingMistake($"{use.Path}.{mistake.Key}", $"{use.Path}.{mistake.Message}")];
        }
    }
}
