using System.Text.Json;
using Lateral.Node.Runs;
using Lateral.Rewards.Data;

namespace Lateral.Node.Tests.RewardModels;

/// <summary><c>runs preferences</c>: which siblings it pairs, and that what it writes of a real run can be learned from.</summary>
[Collection(TrainedRunTests.Name)]
public sealed class PreferencesOfRunTests(TrainedRun trained) : IDisposable
{
    private readonly TemporaryFolder _folder = trained.Copy();

    private string Runs => Path.Combine(_folder.Path, "runs");

    private string Pairs => Path.Combine(_folder.Path, "out", "pairs.jsonl");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Best_must_be_paired_with_the_worst_and_the_second_best_with_the_second_worst()
    {
        ArchivedSibling[] siblings = [.. new[] { .5, 1, 0, 1, .25, double.NaN, .5 }.Select((reward, i) => new ArchivedSibling(7, i, 2, $"text {i}", reward))];
        Assert.Equal([(1, 2)], Picked(0, 1));
        Assert.Equal([(1, 2), (3, 4)], Picked(0, 2));
        // The third pair would be two equal rewards.
        Assert.Equal([(1, 2), (3, 4)], Picked(0, 9));
        Assert.Equal([(1, 2)], Picked(.75, 9));
        Assert.Empty(Picked(1, 9));
        Assert.Empty(PreferencePairs.Of(siblings[..1], 0, 9));
        Assert.Empty(PreferencePairs.Of([siblings[0] with { Completion = "same" }, siblings[2] with { Completion = "same" }], 0, 9));
        Assert.Single(PreferencePairs.Of(siblings.Select(sibling => sibling with { Completion = sibling.Reward.ToString(System.Globalization.CultureInfo.InvariantCulture) }), .9, 9));

        IEnumerable<(int, int)> Picked(double margin, int most) => PreferencePairs.Of(siblings, margin, most).Select(pair => (pair.Chosen.Sibling, pair.Rejected.Sibling));
    }

    [Fact]
    public async Task Runs_preferences_must_be_what_its_archive_says_and_be_learned_from()
    {
        var said = JsonElement.Parse(await Succeed("runs", "preferences", "first", "--to", Pairs, "--runs-dir", Runs, "--json"));
        var lines = File.ReadLines(Pairs).Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal((lines.Count, 16), (said.GetProperty("pairs").GetInt32(), said.GetProperty("groups").GetInt32()));
        Assert.NotEmpty(lines);
        var archived = Directory.EnumerateFiles(Path.Combine(Runs, "first", "rollouts")).SelectMany(File.ReadLines).Select(line => JsonElement.Parse(line))
            .ToLookup(line => line.GetProperty("id").GetString()!.Split('/')[0]);
        foreach (var pair in lines)
        {
            var siblings = archived[$"group={pair.GetProperty("group").GetInt64()}"].ToList();
            Assert.Equal(4, siblings.Count);
            var rewards = siblings.Select(sibling => sibling.GetProperty("reward").GetDouble()).ToList();
            Assert.Equal((rewards.Max(), rewards.Min()), (pair.GetProperty("chosen_reward").GetDouble(), pair.GetProperty("rejected_reward").GetDouble()));
            Assert.Contains(siblings, sibling => sibling.GetProperty("reward").GetDouble() == rewards.Max() && sibling.GetProperty("completion").GetString() == pair.GetProperty("chosen").GetString());
            Assert.All(siblings, sibling => Assert.Equal((sibling.GetProperty("prompt").GetString(), sibling.GetProperty("step").GetInt32()), (pair.GetProperty("prompt").GetString(), pair.GetProperty("step").GetInt32())));
        }

        Assert.Equal(lines.Select(line => (line.GetProperty("prompt").GetString()!, line.GetProperty("chosen").GetString()!, line.GetProperty("rejected").GetString()!)), PreferenceFile.Read(Pairs).Select(row => (row.Prompt, row.Chosen, row.Rejected)));
        await Succeed("reward-model", "train", "--data", Pairs, "--out", Path.Combine(_folder.Path, "reward"), "--steps", "2", "--batch", "4", "--set", "model.size { width = 16, layers = 1, heads = 2, mlp = 16 }");
    }

    [Fact]
    public async Task File_must_not_be_replaced_unless_it_is_said_and_runs_without_preferences_be_told()
    {
        await Succeed("runs", "preferences", "first", "--to", Pairs, "--runs-dir", Runs);
        var first = File.ReadAllText(Pairs);
        Assert.Contains("the file is there already; name another one, or write --force to replace it", await Fail("--to", Pairs), StringComparison.Ordinal);
        Assert.Equal(first, File.ReadAllText(Pairs));
        Assert.Contains(" are in ", await Succeed("runs", "preferences", "first", "--to", Pairs, "--runs-dir", Runs, "--force", "--pairs-per-group", "2"), StringComparison.Ordinal);
        Assert.True(File.ReadLines(Pairs).Count() >= first.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("in none of its 16 groups do two rollouts differ by more than 5 in reward; nothing was written", await Fail("--to", $"{Pairs}.2", "--margin", "5"), StringComparison.Ordinal);
        Assert.Contains("--margin must be at least 0", await Fail("--to", $"{Pairs}.2", "--margin", "-1"), StringComparison.Ordinal);
        Assert.Contains("--pairs-per-group must lie in 1 to 512", await Fail("--to", $"{Pairs}.2", "--pairs-per-group", "0"), StringComparison.Ordinal);
        Directory.Delete(Path.Combine(Runs, "first", "rollouts"), recursive: true);
        Assert.Contains("run 'first' has no trained rollouts in ", await Fail("--to", $"{Pairs}.2"), StringComparison.Ordinal);
        Assert.False(File.Exists($"{Pairs}.2"));
    }

    private async Task<string> Fail(params string[] options)
    {
        var (code, _, error) = await Shell.RunAsync(["runs", "preferences", "first", "--runs-dir", Runs, .. options]);
        Assert.Equal(2, code);
        return error;
    }

    private static async Task<string> Succeed(params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync(arguments);
        Assert.True(code == 0, output + error);
        return output;
    }
}
