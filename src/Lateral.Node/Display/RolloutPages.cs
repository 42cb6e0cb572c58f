using System.Globalization;
using System.Text.Json;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Node.Runs;

namespace Lateral.Node.Display;

/// <summary>A recorded rollout for reading: what is known of it, and its denoising step by step. Pure: the same record reads the same.</summary>
internal sealed class RolloutPages(string runName, RecordedRollout recorded, ITokenizer tokenizer)
{
    private readonly Trajectory _trajectory = recorded.Trajectory;

    public SampleView View { get; } = SampleView.Of(recorded.Trajectory, recorded.Reward, tokenizer);

    /// <summary>Everything but the steps.</summary>
    public IEnumerable<string> Summary()
    {
        var where = recorded switch
        {
            { GivenUp: { } reason } => $"its group was given up: {reason}",
            { Batch: { } step } => $"in the batch of step {step}",
            _ => "in no batch yet",
        };
        yield return $"rollout {_trajectory.Id} of run {runName}, {where}";
        yield return $"  prompt      {View.Prompt}";
        yield return $"  completion  {_trajectory.Text}";
        yield return $"  reward      {(recorded.Reward is { } reward ? Words.Rate(reward) : "not yet")}"
            + (recorded.Breakdown.IsEmpty ? "" : $"  ({string.Join(", ", recorded.Breakdown.Select(part => $"{part.Key} {Words.Rate(part.Value)}"))})");
        yield return $"  policy      {string.Join(", ", _trajectory.Policies.Select(span => $"{Name(span)}{(_trajectory.Policies.Length > 1 ? $" from step {span.FirstStep}" : "")}"))}";
        yield return $"  log-prob    {Words.Fixed(_trajectory.TokenLogProbs.Sum(), 3)} of the tokens, {Words.Fixed(_trajectory.SelectionLogProbs.Sum(), 3)} of their order";
        yield return $"  entropy     {Words.Fixed(_trajectory.RevealEntropy, 3)} nats a token when it was revealed";
    }

    /// <summary>One line a token would be long; all on one line is enough to see which were doubtful.</summary>
    public IEnumerable<string> Compact() => Summary().Append($"  revealed    {string.Join("  ", View.Pieces.Select((piece, position) => Revealed(piece.Step, position)))}  (token@step log-prob)");

    /// <summary>Example: <c>   1  v3  1░34 5  3 (-0.20)  4 (-0.20)</c>.</summary>
    public IEnumerable<string> Steps()
    {
        var frames = DenoisingFrames.Of(View);
        yield return $"  step  policy  {frames[0].Text}";
        foreach (var step in Enumerable.Range(0, _trajectory.Steps))
            yield return $"  {Number(step),4}  {$"v{PolicyAt(step).Version}",-6}  {frames[step + 1].Text}  {string.Join("  ", RevealedAt(step).Select(position => $"{Shown(position)} ({Words.Fixed(_trajectory.TokenLogProbs[position])})"))}{(_trajectory.Guesses.IsEmpty ? "" : $"  before it \"{_trajectory.Guesses[step]}\"")}".TrimEnd();
    }

    public string ToJson()
    {
        var frames = DenoisingFrames.Of(View);
        return JsonSerializer.Serialize(
            new
            {
                Id = _trajectory.Id.ToString(),
                Run = runName,
                View.Prompt,
                Completion = _trajectory.Text,
                Reward = Finite(recorded.Reward),
                Breakdown = recorded.Breakdown.ToDictionary(part => part.Key, part => Finite(part.Value)),
                recorded.Batch,
                recorded.GivenUp,
                RevealEntropy = Finite(_trajectory.RevealEntropy),
                Steps = Enumerable.Range(0, _trajectory.Steps).Select(step => new
                {
                    Step = step,
                    PolicyVersion = PolicyAt(step).Version,
                    PolicyHash = PolicyAt(step).Hash,
                    SelectionLogProb = Finite(_trajectory.SelectionLogProbs[step]),
                    Canvas = frames[step + 1].Text,
                    Revealed = RevealedAt(step).Select(position => new { Position = position, Token = _trajectory.Tokens[position], View.Pieces[position].Text, LogProb = Finite(_trajectory.TokenLogProbs[position]) }),
                }),
            },
            JsonSerializerOptions.Web);
    }

    private string Revealed(int step, int position) =>
        step < 0 ? $"{Shown(position)}@{(step == SampleView.Given ? "given" : "-")}" : $"{Shown(position)}@{Number(step)} {Words.Fixed(_trajectory.TokenLogProbs[position])}";

    private IEnumerable<int> RevealedAt(int step) => Enumerable.Range(0, _trajectory.RevealStep.Length).Where(position => _trajectory.RevealStep[position] == step);

    private PolicySpan PolicyAt(int step) => _trajectory.Policies.Last(span => span.FirstStep <= step);

    /// <summary>The token as frames show it.</summary>
    private string Shown(int position) => DenoisingFrames.At(View, View.Steps).Cells[position].Text;

    private static string Name(PolicySpan span) => $"v{span.Version} {span.Hash[..Math.Min(12, span.Hash.Length)]}";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}
