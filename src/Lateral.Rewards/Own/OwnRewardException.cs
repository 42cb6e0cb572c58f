namespace Lateral.Rewards.Own;

/// <summary>An assembly that no reward can be made from. The message says what is wrong with it and how to put it right.</summary>
internal sealed class OwnRewardException(string message, Exception? cause = null) : Exception(message, cause);
