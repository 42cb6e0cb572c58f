using System.Collections.Immutable;

namespace Lateral.Diffusion.RewardModels;

/// <summary>A prompt and a completion in the reward model's tokens.</summary>
/// <param name="Completion">what its reward is the mean over: at least one token, the end token included where the model has one, so that where a text stops can be worth something</param>
public sealed record RewardText(ImmutableArray<int> Prompt, ImmutableArray<int> Completion)
{
    public int Length => Prompt.Length + Completion.Length;
}

/// <summary>Two completions of one prompt, the first of which somebody prefers.</summary>
/// <param name="Margin">by how much more than nothing the rewards are to differ, in their own unit</param>
public sealed record PreferencePair(RewardText Chosen, RewardText Rejected, double Margin = 0)
{
    /// <summary>What it takes of a forward: both texts, padded to the longer one.</summary>
    public int Tokens => 2 * Math.Max(Chosen.Length, Rejected.Length);
}
