using System.Text.Json;
using Lateral.Core;

namespace Lateral.Node.Tests.RewardModels;

/// <summary>Preferences that a small model learns in seconds: of five digits the sorted ones are chosen, the same in another order rejected.</summary>
internal static class SortedPairs
{
    public static string Write(string folder, int count = 400, ulong seed = 3)
    {
        var path = Path.Combine(folder, "pairs.jsonl");
        File.WriteAllLines(path, Of(count, seed).Select(pair => JsonSerializer.Serialize(new { prompt = pair.Prompt, chosen = pair.Chosen, rejected = pair.Rejected })));
        return path;
    }

    public static IEnumerable<(string Prompt, string Chosen, string Rejected)> Of(int count, ulong seed)
    {
        var random = new CounterRandom(seed);
        for (var i = 0; count > 0; i++)
        {
            var index = i;
            var prompt = string.Concat(Enumerable.Range(0, 5).Select(j => random.Below(10, RandomStream.Corpus, index, position: j)));
            var sorted = string.Concat(prompt.Order());
            var other = string.Concat(sorted.Index().OrderBy(digit => random.Bits(RandomStream.Corpus, index, position: digit.Index, draw: 1)).Select(digit => digit.Item));
            if (other == sorted) continue;
            count--;
            yield return (prompt, sorted, other);
        }
    }
}

/// <summary>A reward model that was really trained, once for all tests that use one.</summary>
public sealed class TrainedReward : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public string Folder => Path.Combine(_folder.Path, "reward");

    public string Pairs { get; private set; } = "";

    /// <summary>What the training said, as a program reads it.</summary>
    public JsonElement Said { get; private set; }

    public async Task InitializeAsync()
    {
        Pairs = SortedPairs.Write(_folder.Path, 800);
        var (code, output, error) = await Shell.RunAsync("reward-model", "train", "--data", Pairs, "--out", Folder, "--steps", "80", "--batch", "32", "--json");
        Assert.True(code == 0, output + error);
        Said = JsonElement.Parse(output);
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }
}
