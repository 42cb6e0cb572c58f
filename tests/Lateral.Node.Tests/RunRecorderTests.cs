using System.Text.Json;
using Lateral.Node.Runs;

namespace Lateral.Node.Tests;

public sealed class RunRecorderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Step_must_become_one_line_with_step_version_and_time()
    {
        var (run, recorder) = Open();
        await recorder.RecordStepAsync(Fixtures.Report(1, ("reward/mean", 0.25), ("ratio/mean", double.NaN)), Fixtures.Batch(1), default);
        var line = Assert.Single(Lines(run.Metrics));
        Assert.Equal((1, 1, 0.25), (line.GetProperty("step").GetInt32(), line.GetProperty("policy_version").GetInt32(), line.GetProperty("reward/mean").GetDouble()));
        Assert.Equal(JsonValueKind.Null, line.GetProperty("ratio/mean").ValueKind);
        Assert.True(line.GetProperty("time/elapsed").GetDouble() >= 0);
    }

    [Fact]
    public async Task Step_that_is_recorded_again_must_not_appear_twice()
    {
        var (run, recorder) = Open();
        await recorder.RecordStepAsync(Fixtures.Report(1, ("reward/mean", 0.1)), null, default);
        await recorder.RecordStepAsync(Fixtures.Report(2, ("reward/mean", 0.2)), null, default);
        var again = Reopen(run);
        Assert.Equal(2, again.LastRecordedStep);
        await again.RecordStepAsync(Fixtures.Report(2, ("reward/mean", 0.9)), Fixtures.Batch(2), default);
        await again.RecordStepAsync(Fixtures.Report(3, ("reward/mean", 0.3)), null, default);
        Assert.Equal([0.1, 0.2, 0.3], Lines(run.Metrics).Select(line => line.GetProperty("reward/mean").GetDouble()));
    }

    [Theory]
    [InlineData("{\"step\":2,\"rew")]
    [InlineData("{\"step\":2,\"reward/mean\":1}")]
    [InlineData("\0\0\0\0\n\0\0")]
    [InlineData("\n")]
    public async Task Torn_last_line_must_be_cut_off_and_written_again(string torn)
    {
        var (run, recorder) = Open();
        await recorder.RecordStepAsync(Fixtures.Report(1, ("reward/mean", 0.1)), null, default);
        File.AppendAllText(run.Metrics, torn);
        var again = Reopen(run);
        Assert.Equal(1, again.LastRecordedStep);
        await again.RecordStepAsync(Fixtures.Report(2, ("reward/mean", 0.2)), null, default);
        Assert.Equal([0.1, 0.2], Lines(run.Metrics).Select(line => line.GetProperty("reward/mean").GetDouble()));
        Assert.EndsWith("}\n", File.ReadAllText(run.Metrics), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Elapsed_time_must_go_on_after_a_restart()
    {
        var (run, recorder) = Open();
        await recorder.RecordStepAsync(Fixtures.Report(1, ("time/elapsed", 1000)), null, default);
        var again = Reopen(run);
        await again.RecordStepAsync(Fixtures.Report(2), null, default);
        Assert.InRange(Lines(run.Metrics)[1].GetProperty("time/elapsed").GetDouble(), 1000, 1060);
    }

    [Fact]
    public async Task Evaluations_must_also_go_to_their_own_file_once()
    {
        var (run, recorder) = Open();
        await recorder.RecordBaseAsync(Fixtures.Base(("eval/pass_at_1", 0.25), ("eval/greedy", 0.3)), default);
        await recorder.RecordStepAsync(Fixtures.Report(1, ("reward/mean", 0.1)), null, default);
        await recorder.RecordStepAsync(Fixtures.Report(2, ("reward/mean", 0.1), ("eval/pass_at_1", 0.5)), null, default);
        await Reopen(run).RecordBaseAsync(Fixtures.Base(("eval/pass_at_1", 0.99)), default);
        var points = RunRecorder.ReadEvaluations(run);
        Assert.Equal([(0, 0.25), (2, 0.5)], points.Select(point => (point.Step, point.Metrics["eval/pass_at_1"])));
        Assert.DoesNotContain("reward/mean", points[1].Metrics.Keys);
    }

    [Fact]
    public async Task Archive_must_hold_every_rollout_with_its_reveal_order_and_versions()
    {
        var (run, recorder) = Open();
        await recorder.RecordStepAsync(Fixtures.Report(1), Fixtures.Batch(1), default);
        var lines = File.ReadAllLines(Path.Combine(run.Rollouts, "step_1.jsonl")).Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal(["group=10/rollout=0", "group=10/rollout=1", "group=11/rollout=0"], lines.Select(line => line.GetProperty("id").GetString()));
        var first = lines[0];
        Assert.Equal(("31415", "11345", 1.0), (first.GetProperty("prompt").GetString(), first.GetProperty("completion").GetString(), first.GetProperty("reward").GetDouble()));
        Assert.Equal([0, 2, 1, 1, 0], first.GetProperty("reveal_step").EnumerateArray().Select(x => x.GetInt32()));
        Assert.Equal([-0.1f, -0.3f, -0.2f, -0.2f, -0.1f], first.GetProperty("token_log_probs").EnumerateArray().Select(x => x.GetSingle()));
        Assert.Equal([(0, 3), (2, 4)], first.GetProperty("versions").EnumerateArray().Select(x => (x.GetProperty("first_step").GetInt32(), x.GetProperty("version").GetInt32())));
        Assert.Equal(1, first.GetProperty("breakdown").GetProperty("answer").GetDouble());
        Assert.Equal(JsonValueKind.Null, lines[2].GetProperty("reward").ValueKind);
        Assert.Empty(Directory.EnumerateFiles(run.Rollouts, "*.tmp"));
    }

    [Fact]
    public async Task Status_page_must_follow_the_steps()
    {
        var (run, recorder) = Open();
        await recorder.RecordBaseAsync(Fixtures.Base(("eval/pass_at_1", 0.25)), default);
        await recorder.RecordStepAsync(Fixtures.Report(7, ("reward/mean", 0.125)), null, default);
        var page = File.ReadAllText(run.Status);
        Assert.Contains("Step 7 of 240. Task sort5, seed 1.", page, StringComparison.Ordinal);
        Assert.Contains("| reward/mean | 0.125 |", page, StringComparison.Ordinal);
        Assert.Contains("| 0 | 0.25 |", page, StringComparison.Ordinal);
        Assert.Contains("resume quickstart", page, StringComparison.Ordinal);
    }

    [LinuxFact]
    public async Task Full_disk_must_be_told_as_such()
    {
        var (run, _) = Open();
        File.CreateSymbolicLink(run.Metrics, "/dev/full");
        var recorder = new RunRecorder(run, Fixtures.Load(_folder.Path).Settings, Fixtures.Digits, TimeProvider.System);
        var error = await Assert.ThrowsAsync<IOException>(() => recorder.RecordStepAsync(Fixtures.Report(1), null, default));
        Assert.True(EnvironmentProblem.IsDiskFull(error));
        Assert.Equal(ExitCode.Environment, Sessions.Failure.Describe(error).Code);
        Assert.Contains("the disk is full", Sessions.Failure.Describe(error).Message, StringComparison.Ordinal);
    }

    private (RunDirectory Run, RunRecorder Recorder) Open()
    {
        var run = Fixtures.NewRun(_folder);
        return (run, Reopen(run));
    }

    private RunRecorder Reopen(RunDirectory run) => new(run, Fixtures.Load(_folder.Path).Settings, Fixtures.Digits, TimeProvider.System);

    private static List<JsonElement> Lines(string path) => [.. File.ReadAllLines(path).Select(line => JsonElement.Parse(line))];
}
