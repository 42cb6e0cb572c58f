using System.Text.Json;
using Lateral.Actors;
using Lateral.Core;
using Lateral.Core.Runs;
using Lateral.Node.Runs;

namespace Lateral.Node.Tests.Processes;

/// <summary>A run whose gradients are not finite at some steps, trained again where nothing is wrong with them: the journal's decisions are obeyed.</summary>
public sealed class FaultyReplayTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Replay_must_reproduce_a_run_with_a_skipped_step_and_a_roll_back_and_a_what_if_neither()
    {
        // Checkpoints of steps 2, 7, 8 and 9: the third skipped step in a row undoes step 3, too. Two are kept, so that of step 2 is gone.
        var conf = TrainedRun.Conf.Replace("steps = 4, seed", "steps = 9, seed", StringComparison.Ordinal).Replace("every = 1, keep-last = 10", "every = 2, keep-last = 1", StringComparison.Ordinal);
        var failpoints = Directory.CreateDirectory(Path.Combine(_folder.Path, "failpoints")).FullName;
        foreach (var step in new[] { 1, 4, 5, 6 }) File.WriteAllText(Path.Combine(failpoints, $"nan-gradient-{step}"), "");
        var runs = Path.Combine(_folder.Path, "runs");
        var (code, output) = await LateralProcess.RunAsync([(Failpoint.Variable, failpoints), ("LATERAL_TEST_SECRET", "hush-hush")], "train", _folder.File("first.conf", conf), "--runs-dir", runs);
        Assert.True(code == 0, output);

        var catalog = new RunCatalog(runs);
        var events = RunJournal.Events(catalog.Load(catalog.Find(TrainedRun.Name), []).Settings);
        var steps = events.OfType<StepTrained>().Select(step => step.Report).ToDictionary(report => report.Step);
        Assert.Equal([1, 4, 5, 6], steps.Values.Where(report => report.Skipped).Select(report => report.Step).Order());
        var rolled = Assert.Single(events.OfType<RolledBack>());
        Assert.Equal((7, 2), (rolled.Step, rolled.To.Step));
        Assert.False(Directory.Exists(Path.Combine(runs, TrainedRun.Name, rolled.To.Location)));
        // Both show in the weights.
        Assert.NotEqual(steps[2].Policy.Hash, steps[3].Policy.Hash);
        Assert.Equal(steps[2].Policy.Hash, steps[7].Policy.ParentHash);

        var (same, replayed, error) = await Shell.RunAsync("runs", "replay", TrainedRun.Name, "--runs-dir", runs);
        Assert.True(same == 0, replayed + error);
        Assert.Contains("9 steps trained again, every one to the same weights", replayed, StringComparison.Ordinal);

        var (other, lines, trouble) = await Shell.RunAsync("runs", "replay", TrainedRun.Name, "--runs-dir", runs, "--set", "algorithm.lr = 2e-3", "--json");
        Assert.True(other == 0, lines + trouble);
        var seventh = JsonElement.Parse(lines.Split('\n')[6]);
        Assert.True(seventh.GetProperty("journaled").GetProperty("metrics").TryGetProperty("optim/rolled_back_to", out _));
        Assert.False(seventh.GetProperty("replayed").GetProperty("metrics").TryGetProperty("optim/rolled_back_to", out _));
        var first = JsonElement.Parse(lines.Split('\n')[0]);
        Assert.NotEqual(steps[1].Policy.ParentHash, first.GetProperty("replayed").GetProperty("hash").GetString());
    }
}
