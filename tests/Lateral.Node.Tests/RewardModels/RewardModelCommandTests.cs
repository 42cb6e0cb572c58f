using System.Text.Json;
using Lateral.Diffusion.RewardModels;

namespace Lateral.Node.Tests.RewardModels;

/// <summary><c>reward-model train</c> and <c>score</c>, from the command line to the folder and back.</summary>
public sealed class RewardModelCommandTests(TrainedReward trained) : IClassFixture<TrainedReward>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Out => Path.Combine(_folder.Path, "reward");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Trained_model_must_prefer_what_unseen_pairs_prefer()
    {
        var (before, after) = (trained.Said.GetProperty("before"), trained.Said.GetProperty("after"));
        Assert.Equal(.5, before.GetProperty("accuracy").GetDouble());
        Assert.Equal(Math.Log(2), before.GetProperty("loss").GetDouble(), 1e-6);
        Assert.Equal((80, 720), (after.GetProperty("pairs").GetInt32(), trained.Said.GetProperty("pairs").GetInt32()));
        Assert.True(after.GetProperty("accuracy").GetDouble() > .9, trained.Said.ToString());
        Assert.Equal(["config.json", "model.safetensors", "reward_model.json", "tokenizer.json"], Directory.EnumerateFiles(trained.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        // Pairs of another seed, asked of the folder.
        var unseen = SortedPairs.Write(_folder.Path, 100, seed: 77);
        var lines = (await Succeed("reward-model", "score", trained.Folder, "--data", unseen, "--json")).Trim().Split('\n').Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal(101, lines.Count);
        Assert.True(lines[^1].GetProperty("accuracy").GetDouble() > .9, lines[^1].ToString());
        Assert.Equal(lines[..^1].Count(line => line.GetProperty("chosen").GetDouble() > line.GetProperty("rejected").GetDouble()) / 100.0, lines[^1].GetProperty("accuracy").GetDouble(), 1e-9);
        var shown = await Succeed("reward-model", "score", trained.Folder, "--data", unseen, "--batch", "1");
        Assert.Matches(@"pairs\.jsonl:100  chosen -?[\d.]+  rejected -?[\d.]+\n", shown.ReplaceLineEndings("\n"));
        Assert.Matches(@"accuracy [\d.]+ of 100 pairs, loss [\d.]+, rewards -?[\d.]+ on average, deviation [\d.]+", shown);
    }

    [Fact]
    public async Task Same_command_must_give_the_same_weights_also_where_it_was_interrupted()
    {
        string[] train = ["reward-model", "train", "--data", SortedPairs.Write(_folder.Path, 60), "--steps", "20", "--batch", "8", "--set", "model.size { width = 32, layers = 1, heads = 2, mlp = 32 }"];
        var text = await Succeed([.. train, "--out", Out]);
        Assert.Contains("54 pairs to learn from, 6 held out, 20 updates of 8, seed 1", text, StringComparison.Ordinal);
        Assert.Contains("step 20/20  loss ", text, StringComparison.Ordinal);
        Assert.Matches("held out: accuracy 0.500 -> [01].[0-9]{3} of 6 pairs, loss 0.6931 -> ", text);

        // Stopped by its token after the checkpoint of step 5, then started again.
        var again = Path.Combine(_folder.Path, "again");
        await InterruptedAsync(again, train);
        Assert.Equal(["training.safetensors"], Directory.EnumerateFiles(again).Select(Path.GetFileName));
        Assert.Contains("is no reward model", (await Fail(2, "reward-model", "score", again, "--data", train[3])), StringComparison.Ordinal);
        Assert.Contains("is of a training with other data, settings or another base", await Fail(2, [.. train, "--out", again, "--seed", "2"]), StringComparison.Ordinal);
        Assert.Contains("goes on after step 5", await Succeed([.. train, "--out", again, "--checkpoint-every", "5"]), StringComparison.Ordinal);
        Assert.Equal(RewardModelInfo.Read(Out), RewardModelInfo.Read(again));
        Assert.False(File.Exists(Path.Combine(again, "training.safetensors")));
    }

    [Fact]
    public async Task Published_model_must_be_a_base_with_its_tokenizer_and_chat_template()
    {
        var model = PublishedFolder.Create(Path.Combine(_folder.Path, "model"));
        await Succeed("reward-model", "train", "--data", SortedPairs.Write(_folder.Path, 60), "--model", model, "--out", Out, "--steps", "5", "--lr", "1e-3", "--centre", "0.01");
        Assert.Equal(File.ReadAllText(Path.Combine(model, "tokenizer_config.json")), File.ReadAllText(Path.Combine(Out, "tokenizer_config.json")));
        Assert.Equal((Path.GetFullPath(model), 54), (RewardModelInfo.Read(Out).Base, RewardModelInfo.Read(Out).Pairs));
        // 256 tokens are read, and the chat template puts 19 around the prompt.
        var row = JsonSerializer.Serialize(new { prompt = new string('1', 240), chosen = "2", rejected = "3" });
        Assert.Contains("long.jsonl:1 has 261 tokens in prompt and 'chosen' - the model reads at most 256 (prompt 259, completion 2)", await Fail(2, "reward-model", "score", Out, "--data", _folder.File("long.jsonl", row)), StringComparison.Ordinal);
        Assert.Contains("that is a reward model", await Fail(2, "reward-model", "train", "--data", trained.Pairs, "--model", trained.Folder, "--out", Path.Combine(_folder.Path, "x")), StringComparison.Ordinal);
        Assert.Contains("the shape is that of --model", await Fail(2, "reward-model", "train", "--data", trained.Pairs, "--model", model, "--set", "model.size.width = 32", "--out", Path.Combine(_folder.Path, "x")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mistakes_must_be_told_before_anything_is_written()
    {
        string Pairs(string text) => _folder.File("p.jsonl", text);
        var good = SortedPairs.Write(_folder.Path, 10);
        string[] train = ["reward-model", "train", "--out", Out, "--data"];
        Assert.Contains("p.jsonl:2:1 has no 'rejected'", await Fail(2, [.. train, Pairs("{\"prompt\":\"1\",\"chosen\":\"2\",\"rejected\":\"3\"}\n{\"prompt\":\"1\",\"chosen\":\"2\"}\n")]), StringComparison.Ordinal);
        Assert.Contains("p.jsonl:1 has 1031 tokens in prompt and 'rejected' - the model reads at most 1024 (prompt 1, completion 1030)", await Fail(2, [.. train, Pairs(JsonSerializer.Serialize(new { prompt = "1", chosen = "2", rejected = new string('x', 1029) }))]), StringComparison.Ordinal);
        Assert.Contains("--data has one prompt only, so none can be held out - write --held-out 0", await Fail(2, [.. train, Pairs("{\"prompt\":\"1\",\"chosen\":\"2\",\"rejected\":\"3\"}")]), StringComparison.Ordinal);
        Assert.Contains("none.jsonl does not exist", await Fail(2, [.. train, Path.Combine(_folder.Path, "none.jsonl")]), StringComparison.Ordinal);
        Assert.Contains("--held-out must lie in 0 to 0.9, got 1", await Fail(2, [.. train, good, "--held-out", "1"]), StringComparison.Ordinal);
        Assert.Contains("--steps must lie in 1 to 1000000, got 0", await Fail(2, [.. train, good, "--steps", "0"]), StringComparison.Ordinal);
        Assert.Contains("only a fresh core's shape can be set", await Fail(2, [.. train, good, "--set", "run.seed = 3"]), StringComparison.Ordinal);
        Assert.Contains("an even multiple of heads", await Fail(2, [.. train, good, "--set", "model.size.width = 30"]), StringComparison.Ordinal);
        Assert.Contains("config.json and tokenizer.json are not both there", await Fail(2, [.. train, good, "--model", _folder.Path]), StringComparison.Ordinal);
        Assert.Contains("device cuda:7 does not exist", await Fail(3, [.. train, good, "--device", "cuda:7"]), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out));
        Assert.Contains("something else lies there already", await Fail(2, "reward-model", "train", "--out", _folder.Path, "--data", good), StringComparison.Ordinal);
        Assert.Contains("a finished reward model lies there", await Fail(2, "reward-model", "train", "--out", trained.Folder, "--data", good), StringComparison.Ordinal);
        Assert.Contains("is no reward model: it has no reward_model.json, which lateral reward-model train --out writes last", await Fail(2, "reward-model", "score", _folder.Path, "--data", good), StringComparison.Ordinal);
    }

    /// <summary>Runs the training until its first checkpoint is there and then cancels it.</summary>
    private static async Task InterruptedAsync(string output, string[] train)
    {
        using var stop = new CancellationTokenSource();
        using var said = new StringWriter();
        var parsed = Cli.CommandLine.Build(new Cli.Terminal(new Watched(said, line =>
        {
            // A tenth of 20 steps is shown every second one: step 6 follows the checkpoint of step 5.
            if (line.StartsWith("step 6/20", StringComparison.Ordinal)) stop.Cancel();
        }), said, null)).Parse([.. train, "--out", output, "--checkpoint-every", "5"]);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false }, stop.Token));
    }

    private static async Task<string> Succeed(params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync(arguments);
        Assert.True(code == 0, output + error);
        return output;
    }

    private static async Task<string> Fail(int expected, params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync(arguments);
        Assert.True(code == expected, $"{code}: {output}{error}");
        return error;
    }

    private sealed class Watched(StringWriter to, Action<string> line) : TextWriter
    {
        public override System.Text.Encoding Encoding => to.Encoding;

        public override void Write(char value) => to.Write(value);

        public override void WriteLine(string? value)
        {
            to.WriteLine(value);
            line(value ?? "");
        }
    }
}
