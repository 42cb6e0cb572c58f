using System.Security.Cryptography;

namespace Lateral.Node.Tests;

/// <summary>
/// A real run of four steps, trained once for all tests that look at one; each takes a copy. Sudoku gives credit for single
/// cells, so that even a model that has learned next to nothing has gradients.
/// </summary>
public sealed class TrainedRun : IAsyncLifetime
{
    public const string Name = "first";

    public const string Conf = """
        run { steps = 4, seed = 11 }
        task { name = sudoku, held-out-prompts = 16 }
        reward.pools.answer { kind = sudoku }
        reward.on-constant = go-on
        warmup { steps = 5, batch = 16, lr = 3e-3 }
        model.size { width = 32, layers = 2, heads = 2, mlp = 64 }
        rollout { groups-per-step = 4, group-size = 4, gen-length = 16, steps = 4 }
        algorithm { advantage = group-z, lr = 1e-3, lr-schedule { warmup-steps = 0, decay = constant } }
        staleness.max-versions = 0
        deterministic = on
        topology.roles.sampler.slots = 16
        eval { every = 0, prompts = 4, final-prompts = 8, samples = 2 }
        checkpoint { every = 1, keep-last = 10 }
        x-notes.api-key = ${?LATERAL_TEST_SECRET}
        """;

    private readonly TemporaryFolder _folder = new();

    /// <summary>A secret comes from the environment only.</summary>
    static TrainedRun() => Environment.SetEnvironmentVariable("LATERAL_TEST_SECRET", "hush-hush");

    public async Task InitializeAsync()
    {
        var (code, output, error) = await Shell.RunAsync("train", _folder.File("first.conf", Conf), "--runs-dir", Path.Combine(_folder.Path, "runs"));
        Assert.True(code == 0, output + error);
    }

    /// <summary>A folder with a copy of the run in <c>runs/</c> and of its configuration beside it.</summary>
    internal TemporaryFolder Copy()
    {
        var copy = new TemporaryFolder();
        foreach (var file in Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy.Path, Path.GetRelativePath(_folder.Path, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return copy;
    }

    /// <summary>SHA-256 of every file below, by relative path; without what SQLite lays beside a database that is open.</summary>
    internal static SortedDictionary<string, string> Hashes(string folder) => new(
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(path => !path.EndsWith("-shm", StringComparison.Ordinal) && !path.EndsWith("-wal", StringComparison.Ordinal))
            .ToDictionary(path => Path.GetRelativePath(folder, path), Hash),
        StringComparer.Ordinal);

    internal static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }
}

[CollectionDefinition(Name)]
public sealed class TrainedRunTests : ICollectionFixture<TrainedRun>
{
    public const string Name = "a trained run";
}
