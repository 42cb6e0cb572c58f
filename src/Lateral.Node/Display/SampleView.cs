using System.Collections.Immutable;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Node.Display;

/// <summary>One rollout as people read it. Example: <c>prompt "31415", pieces [("1", 0), ("1", 2), ("3", 1), ...], steps 3, reward 1</c>.</summary>
/// <param name="Pieces">text of each generated token with the denoising step that revealed it; -1 = never revealed, <see cref="Given"/> = it stood there from the start</param>
/// <param name="Reward">null where nothing scored it</param>
public sealed record SampleView(string Prompt, ImmutableArray<(string Text, int Step)> Pieces, int Steps, double? Reward)
{
    public const int Given = -2;

    public static SampleView Of(ScoredTrajectory scored, ITokenizer tokenizer) => Of(scored.Trajectory, scored.Reward, tokenizer);

    public static SampleView Of(Trajectory trajectory, double? reward, ITokenizer tokenizer) => new(
        tokenizer.Decode(trajectory.Prompt.AsSpan()),
        [.. trajectory.Tokens.Select((token, position) => (tokenizer.Decode([token]), trajectory.Given.BinarySearch(position) >= 0 ? Given : trajectory.RevealStep[position]))],
        trajectory.Steps,
        reward);

    public string Completion => string.Concat(Pieces.Where(piece => piece.Step != -1).Select(piece => piece.Text));
}
