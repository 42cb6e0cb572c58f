using Lateral.Actors.Hosting;
using Lateral.Core.Prompts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

/// <summary>What two nodes show each other before they work on a run together.</summary>
public sealed class RunCompatibilitySpecs
{
    private static readonly RunSettings Settings = TestEngines.Settings("runs/test") with
    {
        Data = new DataSettings("a.jsonl", null, "rows", new DataColumns(null, null, null), "own", .05, true, 1, 64, null) { Sha256 = new string('a', 64) },
    };

    [Fact]
    public void Nodes_must_work_together_that_differ_in_nothing_that_is_shared() =>
        Assert.Null(Difference(Settings, Settings with { Directory = "elsewhere/test", Compute = Settings.Compute with { Threads = 8 } }));

    [Fact]
    public void Nodes_that_read_other_rows_must_be_refused_and_one_that_reads_none_must_not()
    {
        var other = Settings with { Data = Settings.Data! with { Sha256 = new string('b', 64) } };
        Assert.Equal("data bbbbbbbbbbbb and this node aaaaaaaaaaaa: give every node the same data.train and data.eval", Difference(Settings, other));
        Assert.Null(Difference(Settings, Settings with { Data = Settings.Data! with { Sha256 = null } }));
    }

    [Fact]
    public void Nodes_of_other_settings_must_be_refused()
    {
        Assert.Matches("^settings [0-9a-f]{12} and this node [0-9a-f]{12}: start every node with the same files", Difference(Settings, Settings with { Seed = 8 }));
        Assert.Matches("^settings ", Difference(Settings, Settings with { Data = Settings.Data! with { Template = "tags" } }));
        Assert.Equal("run other and this node test: start the node with this run's files, or meet elsewhere (topology.cluster)", Difference(Settings, Settings with { Name = "other" }));
    }

    private static string? Difference(RunSettings ours, RunSettings theirs) => RunCompatibility.Difference(RunCompatibility.Marks(ours), RunCompatibility.Marks(theirs));
}
