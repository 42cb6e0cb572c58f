namespace Lateral.Rewards.Verifiers;

/// <summary>A verifier that its keys cannot make. The message names key, value and bound.</summary>
public sealed class RewardSettingException(string key, string message) : Exception(message)
{
    /// <summary>The key inside the pool, for example <c>right-numbers</c>.</summary>
    public string Key { get; } = key;
}
