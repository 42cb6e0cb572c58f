using System.Text.Json;
using Lateral.Core.Rollouts;
using Lateral.Node.Display;
using Lateral.Node.Runs;

namespace Lateral.Node.Tests;

[Collection(TrainedRunTests.Name)]
public sealed class ReplayTests(TrainedRun trained) : IDisposable
{
    private readonly TemporaryFolder _folder = trained.Copy();

    public void Dispose() => _folder.Dispose();

    private string Runs => Path.Combine(_folder.Path, "runs");

    [Fact]
    public async Task Replay_must_show_what_was_archived_and_the_journal_must_say_the_same()
    {
        var line = JsonElement.Parse(File.ReadLines(Path.Combine(Runs, "first", "rollouts", "step_2.jsonl")).Single(text => text.Contains("group=5/rollout=2", StringComparison.Ordinal)));
        var archived = await Done("group=5/rollout=2", "--json");
        var shown = JsonElement.Parse(archived);
        Assert.Equal(line.GetProperty("reward").GetDouble(), shown.GetProperty("reward").GetDouble());
        Assert.Equal(2, shown.GetProperty("batch").GetInt32());
        var steps = shown.GetProperty("steps").EnumerateArray().ToList();
        Assert.Equal(line.GetProperty("completion").GetString(), steps[^1].GetProperty("canvas").GetString());
        Assert.All(steps, step => Assert.Equal((1, 4), (step.GetProperty("policyVersion").GetInt32(), step.GetProperty("revealed").GetArrayLength())));
        var logProbs = steps.SelectMany(step => step.GetProperty("revealed").EnumerateArray()).OrderBy(token => token.GetProperty("position").GetInt32()).Select(token => (float)token.GetProperty("logProb").GetDouble());
        Assert.Equal(line.GetProperty("token_log_probs").EnumerateArray().Select(value => value.GetSingle()), logProbs);

        Directory.Delete(Path.Combine(Runs, "first", "rollouts"), recursive: true);
        Assert.Equal(archived, await Done("5/2", "--json"));
    }

    [Fact]
    public async Task Redirected_replay_must_be_compact_and_show_every_step_when_asked()
    {
        var compact = await Done("5/2");
        Assert.Contains("rollout group=5/rollout=2 of run first, in the batch of step 2", compact, StringComparison.Ordinal);
        Assert.Equal(8, compact.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        var steps = (await Done("5/2", "--step-by-step")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("  step  policy  ░░░░░░░░░░░░░░░░", steps[7]);
        Assert.Equal([12, 8, 4, 0], steps[8..].Select(step => step.Count(character => character == DenoisingFrames.Mask)));
    }

    [Theory]
    [InlineData("16/0", "has no rollout group=16/rollout=0; it has groups 0 to 15, each with rollouts 0 to 3")]
    [InlineData("3/4", "has no rollout group=3/rollout=4; it has groups 0 to 15, each with rollouts 0 to 3")]
    [InlineData("5", "'5' is no rollout id; write group=5/rollout=2, or 5/2")]
    [InlineData("5/-2", "is no rollout id")]
    [InlineData("5/2/1", "is no rollout id")]
    public async Task Unknown_rollout_must_say_which_there_are(string id, string message)
    {
        var (code, _, error) = await Shell.RunAsync("replay", "first", id, "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_spellings_of_an_id_must_mean_the_same()
    {
        Assert.Equal(new RolloutId(5, 2), RecordedRollouts.ParseId("5/2"));
        Assert.Equal(new RolloutId(5, 2), RecordedRollouts.ParseId(new RolloutId(5, 2).ToString()));
    }

    [Fact]
    public void Pages_must_show_policies_tokens_and_log_probs_where_they_belong()
    {
        // Reveal steps 0 2 1 1 and never; log-probs are -0.1 (step + 1); policy v3 until step 1, v4 from step 2 on.
        var trajectory = Fixtures.Trajectory(10, 1, "31415", "54311", 0, 2, 1, 1, -1);
        var pages = new RolloutPages("r", new RecordedRollout(trajectory, 0.5, System.Collections.Immutable.ImmutableSortedDictionary<string, double>.Empty.Add("answer", 0.5), null, "judge failed"), Fixtures.Digits);
        Assert.Equal(
        [
            "rollout group=10/rollout=1 of run r, its group was given up: judge failed",
            "  prompt      31415",
            "  completion  54311",
            "  reward      0.5  (answer 0.5)",
            "  policy      v3 9f3c from step 0, v4 aa00 from step 2",
            "  log-prob    -0.800 of the tokens, 0.000 of their order",
            "  entropy     0.500 nats a token when it was revealed",
        ],
        pages.Summary());
        Assert.Equal(
        [
            "  step  policy  ░░░░░",
            "     0  v3      5░░░░  5 (-0.10)",
            "     1  v3      5░31░  3 (-0.20)  1 (-0.20)",
            "     2  v4      5431░  4 (-0.30)",
        ],
        pages.Steps());
        Assert.Equal("  revealed    5@0 -0.10  4@2 -0.30  3@1 -0.20  1@1 -0.20  ░@-  (token@step log-prob)", pages.Compact().Last());

        // The last token was given; before each step the model would have answered something.
        var hinted = new RolloutPages("r", new RecordedRollout(trajectory with { Given = [4], Guesses = ["11111", "51111", "54111"] }, 0.5, System.Collections.Immutable.ImmutableSortedDictionary<string, double>.Empty, null, null), Fixtures.Digits);
        Assert.Equal("  step  policy  ░░░░1", hinted.Steps().First());
        Assert.Equal("     2  v4      54311  4 (-0.30)  before it \"54111\"", hinted.Steps().Last());
        Assert.EndsWith("1@given  (token@step log-prob)", hinted.Compact().Last(), StringComparison.Ordinal);
    }

    private async Task<string> Done(string id, params string[] options)
    {
        var (code, output, error) = await Shell.RunAsync(["replay", "first", id, .. options, "--runs-dir", Runs]);
        Assert.True(code == 0, output + error);
        return output;
    }
}
