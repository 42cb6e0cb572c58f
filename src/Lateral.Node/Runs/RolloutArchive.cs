using System.Globalization;
using System.Text.Json;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;

namespace Lateral.Node.Runs;

/// <summary>
/// Writes what a step trained on as <c>rollouts/step_N.jsonl</c>, one rollout a line: <c>{"id":"group=5/rollout=2",
/// "prompt":"31415","completion":"11345","reward":1,"breakdown":{"answer":1},"reveal_step":[0,2,1,1,0],...}</c>.
/// </summary>
internal sealed class RolloutArchive(string folder, ITokenizer tokenizer)
{
    public string PathOf(int step) => Path.Combine(folder, $"step_{step.ToString(CultureInfo.InvariantCulture)}.jsonl");

    /// <summary>Writing a step again replaces its file by the same content.</summary>
    public void Write(LearnerBatch batch) => DurableFile.Write(PathOf(batch.Step), stream =>
    {
        using var json = new Utf8JsonWriter(stream);
        foreach (var scored in batch.Groups.SelectMany(group => group.Siblings))
        {
            WriteLine(json, batch.Step, scored);
            json.Flush();
            stream.WriteByte((byte)'\n');
            json.Reset();
        }
    });

    private void WriteLine(Utf8JsonWriter json, int step, ScoredTrajectory scored)
    {
        var trajectory = scored.Trajectory;
        json.WriteStartObject();
        json.WriteString("id", trajectory.Id.ToString());
        json.WriteNumber("step", step);
        json.WriteString("prompt", tokenizer.Decode(trajectory.Prompt.AsSpan()));
        json.WriteString("completion", trajectory.Text);
        JsonLinesFile.WriteNumber(json, "reward", scored.Reward);
        json.WriteStartObject("breakdown");
        foreach (var (part, value) in scored.Breakdown) JsonLinesFile.WriteNumber(json, part, value);
        json.WriteEndObject();
        WriteNumbers(json, "tokens", trajectory.Tokens);
        WriteNumbers(json, "reveal_step", trajectory.RevealStep);
        WriteNumbers(json, "token_log_probs", trajectory.TokenLogProbs);
        WriteNumbers(json, "selection_log_probs", trajectory.SelectionLogProbs);
        if (!trajectory.RevealRank.IsEmpty) WriteNumbers(json, "reveal_rank", trajectory.RevealRank);
        if (!trajectory.MaskedDraws.IsEmpty) WriteNumbers(json, "masked_draws", trajectory.MaskedDraws);
        if (!trajectory.Given.IsEmpty) WriteNumbers(json, "given", trajectory.Given);
        if (!trajectory.Guesses.IsEmpty) WriteGuesses(json, scored);
        if (trajectory.Surrogate is { } surrogate)
        {
            json.WriteString("surrogate", surrogate.Identity);
            WriteNumbers(json, "surrogate_log_probs", surrogate.Values);
        }

        JsonLinesFile.WriteNumber(json, "reveal_entropy", trajectory.RevealEntropy);
        json.WriteStartArray("versions");
        foreach (var span in trajectory.Policies)
        {
            json.WriteStartObject();
            json.WriteNumber("first_step", span.FirstStep);
            json.WriteNumber("version", span.Version);
            json.WriteString("hash", span.Hash);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteGuesses(Utf8JsonWriter json, ScoredTrajectory scored)
    {
        json.WriteStartArray("guesses");
        foreach (var guess in scored.Trajectory.Guesses) json.WriteStringValue(guess);
        json.WriteEndArray();
        json.WriteStartArray("guess_rewards");
        foreach (var reward in scored.GuessRewards) json.WriteNumberValue(reward);
        json.WriteEndArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<int> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<float> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            if (float.IsFinite(value)) json.WriteNumberValue(value);
            else json.WriteNullValue();
        }

        json.WriteEndArray();
    }
}
