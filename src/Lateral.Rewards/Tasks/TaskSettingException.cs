namespace Lateral.Rewards.Tasks;

/// <summary>A task that its settings cannot make. The message names key, value and bound, or what to change.</summary>
public sealed class TaskSettingException(string key, string message) : Exception(message)
{
    /// <summary>The key inside the task's section, for example <c>min-clues</c>.</summary>
    public string Key { get; } = key;
}
