using System.Text.Json;

namespace Lateral.Node.Tests;

/// <summary><c>runs sparsity</c> and the pass@k curve of <c>eval</c>, on a run that was really trained.</summary>
[Collection(TrainedRunTests.Name)]
public sealed class SparsityTests(TrainedRun trained) : IDisposable
{
    private readonly TemporaryFolder _folder = trained.Copy();

    public void Dispose() => _folder.Dispose();

    private string Runs => Path.Combine(_folder.Path, "runs");

    [Fact]
    public async Task Sparsity_must_be_told_of_every_matrix_and_be_whole_against_the_step_itself()
    {
        var (code, output, error) = await Shell.RunAsync("runs", "sparsity", "first@3", "--runs-dir", Runs, "--json");
        Assert.True(code == 0, error);
        var updates = output.Trim().Split('\n').Select(line => JsonElement.Parse(line)).ToList();
        Assert.Contains(updates, update => update.GetProperty("name").GetString()!.EndsWith("wte.weight", StringComparison.Ordinal));
        Assert.All(updates, update => Assert.InRange(update.GetProperty("unchanged").GetDouble(), 0, 1));
        Assert.Contains(updates, update => update.GetProperty("relativeNorm").GetDouble() > 0);
        var (_, same, _) = await Shell.RunAsync("runs", "sparsity", "first@3", "--since", "3", "--runs-dir", Runs);
        Assert.StartsWith("first: step 3 to 3, bf16: 100.0% of ", same, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Step_that_is_not_there_must_be_refused_with_those_that_are()
    {
        var (code, _, error) = await Shell.RunAsync("runs", "sparsity", "first@99", "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains("has no checkpoint of step 99; it has 0", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluation_must_show_pass_at_k_up_to_its_attempts()
    {
        var (code, output, error) = await Shell.RunAsync("eval", "first", "--prompts", "4", "--samples", "8", "--runs-dir", Runs);
        Assert.True(code == 0, error);
        Assert.Matches(@"pass@k  1: [\d.]+%  2: [\d.]+%  4: [\d.]+%  8: [\d.]+%", output);
    }
}
