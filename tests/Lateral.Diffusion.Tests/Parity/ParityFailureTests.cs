using System.Text.Json.Nodes;
using Lateral.Diffusion.Parity;

namespace Lateral.Tests.Diffusion;

/// <summary>A comparison that cannot fail proves nothing: one number is changed in the reference, and its case has to say so.</summary>
public sealed class ParityFailureTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("llada-tiny", "gen-semi-ar-32-b8-s16", "the output differs", "output")]
    [InlineData("llada-tiny", "gen-fast-dual-thr", "call 0 of", "model_inputs_per_call", "0")]
    [InlineData("llada-tiny", "traj-gumbel-t0.7", "differs by more than", "steps", "3", "logp")]
    [InlineData("llada-tiny", "case-loss", "is ", "loss_sft")]
    [InlineData("llada-tiny", "case-loglikelihood", "is ", "log_likelihood")]
    [InlineData("llada-tiny", "case-selection-rules", "topk3 selects", "cases", "2", "selected", "topk3")]
    [InlineData("dream-tiny", "case-quota", "reveals other numbers", "quotas", "100/7")]
    [InlineData("policies", "plackett-luce", "differs by more than", "log_prob")]
    [InlineData("tokenizer", "tiny-cases", "is tokenized otherwise", "cases", "0", "ids")]
    public void One_changed_number_must_fail_its_case(string folder, string name, string expected, params string[] path)
    {
        Copy(folder);
        var file = Path.Combine(_folder, $"{name}.json");
        var root = JsonNode.Parse(File.ReadAllText(file))!;
        var node = path.Aggregate(root, (inner, key) => inner is JsonArray list ? list[int.Parse(key)]! : inner[key]!);
        while (node is JsonArray numbers) node = numbers[^1]!;
        JsonNode changed = node.ToJsonString().Contains('.') ? node.GetValue<double>() + .01 : node.GetValue<int>() + 1;
        node.ReplaceWith(changed);
        File.WriteAllText(file, root.ToJsonString());
        Assert.Contains(Run(name), result => result.Failed && result.Detail.Contains(expected, StringComparison.Ordinal));
    }

    /// <summary>The last number of each file; those before it stay right.</summary>
    [Theory]
    [InlineData("llada-tiny", "case-forward")]
    [InlineData("dream-tiny", "case-sample-tokens")]
    [InlineData("mdlm-tiny", "case-forward", "t")]
    [InlineData("llada-tiny", "lora-d1-targets")]
    public void One_changed_tensor_must_fail_its_case(string folder, string name, string tensor = "logits")
    {
        Copy(folder);
        var file = Path.Combine(_folder, Directory.Exists(Path.Combine(_folder, name)) ? $"{name}/case.safetensors" : $"{name}.safetensors");
        var bytes = File.ReadAllBytes(file);
        var header = JsonNode.Parse(bytes.AsSpan(8, (int)BitConverter.ToInt64(bytes)))!;
        var begin = header[tensor]!["data_offsets"]![0]!.GetValue<int>() + 8 + (int)BitConverter.ToInt64(bytes);
        BitConverter.TryWriteBytes(bytes.AsSpan(begin), BitConverter.ToSingle(bytes, begin) * 1.5f + 1);
        File.WriteAllBytes(file, bytes);
        var results = Run(name);
        Assert.Contains(results, result => result.Failed);
        Assert.Contains(results, result => result.Passed);
    }

    [Fact]
    public void Case_of_an_unknown_kind_must_fail_with_its_name()
    {
        Copy("policies");
        File.WriteAllText(Path.Combine(_folder, "case-mystery.json"), "{}");
        File.WriteAllText(Path.Combine(_folder, "bernoulli.json"), "{}");
        var results = ParitySuite.Run(_folder).ToList();
        var folder = Path.GetFileName(_folder);
        Assert.Equal([$"{folder}/bernoulli", $"{folder}/case-mystery"], results.Where(result => result.Failed).Select(result => result.Case));
        Assert.All(results.Where(result => result.Failed), result => Assert.Equal("is of a kind that nothing here compares", result.Detail));
        Assert.Contains(results, result => result.Passed);
    }

    [Fact]
    public void Broken_case_must_not_hide_the_others()
    {
        Copy("llada-tiny");
        File.WriteAllText(Path.Combine(_folder, "gen-broken.json"), "{\"prompt\": [[1, 2");
        File.WriteAllText(Path.Combine(_folder, "gen-empty.json"), "{}");
        File.WriteAllText(Path.Combine(_folder, "gen-other.json"), """{ "prompt": [[1]], "gen_length": 4, "block_length": 4, "steps": 4, "remasking": "by_moon", "model_inputs_per_call": [], "output": [[1]] }""");
        File.WriteAllBytes(Path.Combine(_folder, "case-forward.safetensors"), [1, 2, 3]);
        string[] names = ["gen-broken", "gen-empty", "gen-other", "case-forward"];
        string[] reasons = ["(JsonReaderException)", "prompt is missing", "no decoder here has remasking = by_moon", "too few for a header"];
        Assert.All(names.Zip(reasons), one => Assert.Contains(one.Second, Assert.Single(Run(one.First)).Detail, StringComparison.Ordinal));
        Assert.True(Assert.Single(Run("gen-uneven-30-b10-s12")).Passed);
    }

    private void Copy(string folder)
    {
        var source = Path.Combine(Fixture.Root, folder);
        foreach (var path in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(_folder, Path.GetRelativePath(source, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(path, target);
        }
    }

    private IReadOnlyList<ParityResult> Run(string name) => ParitySuite.Cases(_folder).Single(one => one.Title.EndsWith($"/{name}", StringComparison.Ordinal)).Run();
}
