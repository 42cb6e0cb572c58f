using Lateral.Core.Policies;
using Lateral.Node.Runs;

namespace Lateral.Node.Tests;

public sealed class RunDirectoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void New_run_must_hold_its_configuration_as_written_and_as_understood()
    {
        var run = Fixtures.NewRun(_folder, "rollout.temperature = 0.9");
        Assert.Equal("# as written\n", File.ReadAllText(run.ConfigAsWritten));
        Assert.Contains("\"temperature\": 0.9", File.ReadAllText(run.ConfigResolved), StringComparison.Ordinal);
        Assert.Contains("\"dotnet\"", File.ReadAllText(run.Environment), StringComparison.Ordinal);
        Assert.All(new[] { run.Rollouts, run.Checkpoints, run.Policies, run.Logs }, folder => Assert.True(Directory.Exists(folder)));
        var again = new RunCatalog(_folder.Path).Load(run, []).Settings;
        Assert.Equal((0.9, "quickstart", run.Root), (again.Rollout.Spec.Temperature, again.Name, Path.GetFullPath(again.Directory)));
    }

    [Fact]
    public void Existing_run_must_never_be_overwritten()
    {
        var run = Fixtures.NewRun(_folder);
        File.WriteAllText(run.Metrics, "kept");
        var error = Assert.Throws<UserException>(() => Fixtures.NewRun(_folder));
        Assert.Equal(ExitCode.Usage, error.Code);
        Assert.Contains("resume quickstart", error.Message, StringComparison.Ordinal);
        Assert.Contains("--name quickstart-2", error.Message, StringComparison.Ordinal);
        Assert.Equal("kept", File.ReadAllText(run.Metrics));
    }

    [Fact]
    public void Folder_that_is_no_run_must_be_left_alone_and_a_half_made_one_completed()
    {
        var path = Path.Combine(_folder.Path, "quickstart");
        Directory.CreateDirectory(Path.Combine(path, "rollouts"));
        File.WriteAllText(Path.Combine(path, "config.conf"), "half");
        Assert.True(Fixtures.NewRun(_folder).Exists);

        using var other = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(other.Path, "quickstart"));
        File.WriteAllText(Path.Combine(other.Path, "quickstart", "thesis.tex"), "precious");
        Assert.Contains("is not a run", Assert.Throws<UserException>(() => Fixtures.NewRun(other)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../elsewhere")]
    [InlineData("/etc/passwd")]
    [InlineData("policies/../../x")]
    public void Location_must_not_lead_out_of_the_run(string location) =>
        Assert.Throws<UserException>(() => Fixtures.NewRun(_folder).Resolve(location));

    [Fact]
    public void Two_holders_must_be_refused_with_the_first_ones_process_id()
    {
        var run = Fixtures.NewRun(_folder);
        Assert.False(RunLock.IsHeld(run));
        using (RunLock.Acquire(run))
        {
            Assert.True(RunLock.IsHeld(run));
            var error = Assert.Throws<UserException>(() => RunLock.Acquire(run));
            Assert.Contains($"process {Environment.ProcessId}", error.Message, StringComparison.Ordinal);
        }

        Assert.False(RunLock.IsHeld(run));
        RunLock.Acquire(run).Dispose();
    }

    [Fact]
    public void Unknown_run_must_suggest_the_nearest()
    {
        _ = Fixtures.NewRun(_folder);
        var catalog = new RunCatalog(_folder.Path);
        Assert.Contains("did you mean quickstart?", Assert.Throws<UserException>(() => catalog.Find("quikstart")).Message, StringComparison.Ordinal);
        Assert.Contains("there are quickstart", Assert.Throws<UserException>(() => catalog.Find("something-else")).Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, Assert.Throws<UserException>(() => catalog.Find("..")).Code);
    }

    [Theory]
    [InlineData("q", "q", null)]
    [InlineData("q@12", "q", 12)]
    [InlineData("a@b@3", "a@b", 3)]
    public void Reference_must_name_a_run_and_perhaps_a_step(string text, string name, int? step) =>
        Assert.Equal(new RunReference(name, step), RunReference.Parse(text));

    [Fact]
    public void Reference_with_a_wrong_step_must_be_refused() =>
        Assert.Contains("q@100", Assert.Throws<UserException>(() => RunReference.Parse("q@last")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Cache_must_return_a_verified_file_and_name_a_wrong_one()
    {
        var run = Fixtures.NewRun(_folder);
        File.WriteAllText(Path.Combine(run.Policies, "v1.safetensors"), "weights");
        var manifest = new PolicyManifest(1, 1, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("weights"u8)), "", PayloadKind.Full, 7, "policies/v1.safetensors");
        Assert.Equal(run.Resolve("policies/v1.safetensors"), await new LocalPolicyCache(run).FetchAsync(manifest, default));

        File.WriteAllText(Path.Combine(run.Policies, "v1.safetensors"), "weightz");
        var changed = await Assert.ThrowsAsync<PolicyUnavailableException>(() => new LocalPolicyCache(run).FetchAsync(manifest, default));
        Assert.Contains("v1.safetensors", changed.Message, StringComparison.Ordinal);
        Assert.Contains(manifest.Hash, changed.Message, StringComparison.Ordinal);
        var newer = await Assert.ThrowsAsync<PolicyUnavailableException>(() => new LocalPolicyCache(run).FetchAsync(manifest with { Protocol = 2 }, default));
        Assert.Contains("protocol 2 and this node 1", newer.Message, StringComparison.Ordinal);
        var missing = await Assert.ThrowsAsync<PolicyUnavailableException>(() => new LocalPolicyCache(run).FetchAsync(manifest with { Location = "policies/v9.safetensors" }, default));
        Assert.Contains("v9.safetensors", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resume_must_refuse_changes_that_alter_what_was_trained()
    {
        var run = Fixtures.NewRun(_folder);
        var catalog = new RunCatalog(_folder.Path);
        var error = Assert.Throws<UserException>(() => ChangedSettings.Apply(catalog, run, ["rollout.temperature = 0.5", "run.steps = 500"]));
        Assert.StartsWith("a resume cannot change rollout.temperature: ", error.Message, StringComparison.Ordinal);

        Assert.Contains("reward.pools.answer.weight", Assert.Throws<UserException>(() => ChangedSettings.Apply(catalog, run, ["reward.pools.answer.weight = 2"])).Message, StringComparison.Ordinal);

        Assert.Equal(500, ChangedSettings.Apply(catalog, run, ["run.steps = 500", "eval.every = 7"]).Steps);
        Assert.Equal(9, Assert.Single(ChangedSettings.Apply(catalog, run, ["reward.pools.answer { workers = 9, timeout = 7s }", "x-note { a = 1 }"]).Pools).Workers);
        var later = catalog.Load(run, []).Settings;
        Assert.Equal((500, 7), (later.Steps, later.Evaluation.Every));
        Assert.Contains("run.steps = 500", File.ReadAllText(run.ConfigAsWritten), StringComparison.Ordinal);
    }
}
