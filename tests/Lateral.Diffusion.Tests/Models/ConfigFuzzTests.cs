using System.Diagnostics;
using System.Text;
using Lateral.Diffusion.Models;

namespace Lateral.Tests.Diffusion;

/// <summary>A config.json can come from anywhere: it is read or refused, never believed.</summary>
public sealed class ConfigFuzzTests
{
    public static TheoryData<string> Configurations => new([.. Folder("Models", "Published").Where(path => path.EndsWith(".json", StringComparison.Ordinal)), .. Directory.EnumerateFiles(Fixture.Root, "config.json", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(AppContext.BaseDirectory, path))]);

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Damaged_configuration_must_be_read_or_refused_and_nothing_else(string path)
    {
        var sound = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, path));
        var (random, refused, watch) = (new Random(17), 0, Stopwatch.StartNew());
        const int rounds = 1500;
        for (var round = 0; round < rounds; round++)
        {
            var text = JsonDamage.Of(sound, random);
            if (JsonDamage.Refused<ModelException>(Encoding.UTF8.GetByteCount(text), () => ReadBack(text), text)) refused++;
        }

        // Most damage is found; what is only left out may have a default.
        Assert.InRange(refused, rounds / 2, rounds - 10);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("\"n_layers\": 2147483647", "n_layers = 2147483647 must be a whole number from 1 to 4096")]
    [InlineData("\"d_model\": 1073741824", "widths are at most 1048576, got 1073741824")]
    [InlineData("\"rope_theta\": 1e999", "rope_theta = 1e999 must be a number")]
    [InlineData("\"vocab_size\": 2147483647", "16777216 tokens are read, got 2, 4, 16 and 2147483647")]
    [InlineData("\"loop\": {\"start\": 0, \"end\": 2, \"count\": 2147483647}", "a loop over 2 blocks 2147483647 times runs more than 65536")]
    [InlineData("\"d_model\": 64, \"d_model\": 128", "d_model")]
    [InlineData("\"model_type\": \"\\ud800\"", "it is no JSON that can be read")]
    public void Absurd_setting_must_be_refused_by_name(string setting, string message)
    {
        var key = setting[..setting.IndexOf(':', StringComparison.Ordinal)];
        string[] usual = ["\"d_model\": 64", "\"n_layers\": 2", "\"n_heads\": 4", "\"mlp_hidden_size\": 32", "\"vocab_size\": 16", "\"max_sequence_length\": 64", "\"mask_token_id\": 15"];
        var json = $"{{ {string.Join(", ", usual.Where(line => !line.StartsWith(key, StringComparison.Ordinal)).Append(setting))} }}";
        Assert.Contains(message, Assert.Throws<ModelException>(() => ModelFamilies.Parse(json)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lladamoe", "\"num_experts\": 2147483647, \"num_experts_per_tok\": 2, \"expert_intermediate_size\": 8", "2147483647 experts in each of 2 blocks")]
    [InlineData("llada2_moe", "\"num_experts\": 8, \"num_experts_per_tok\": 2, \"moe_intermediate_size\": 8, \"intermediate_size\": 8, \"first_k_dense_replace\": 2147483647", "first_k_dense_replace 2147483647 must be at most the 2 blocks")]
    [InlineData("llada2_moe", "\"num_experts\": 8, \"num_experts_per_tok\": 2, \"moe_intermediate_size\": 65536, \"intermediate_size\": 8, \"num_shared_experts\": 65537", "num_shared_experts 65537 must be from 0 to 256")]
    public void Absurd_number_of_experts_must_be_refused_before_anything_is_counted_by_it(string type, string settings, string message)
    {
        var json = $$"""{ "model_type": "{{type}}", "vocab_size": 16, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 64, "mask_token_id": 15, {{settings}} }""";
        Assert.True(JsonDamage.Refused<ModelException>(json.Length, () => ModelFamilies.Parse(json), json));
        Assert.Contains(message, Assert.Throws<ModelException>(() => ModelFamilies.Parse(json)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_that_is_no_configuration_must_be_refused_with_its_name()
    {
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, new byte[(4 << 20) + 1]);
        Assert.Equal($"'{path}': a configuration has at most 4194304 bytes", Assert.Throws<ModelException>(() => ModelFamilies.Read(path)).Message);
        File.WriteAllText(path, "[]");
        Assert.Equal($"'{path}': a model configuration is a JSON object", Assert.Throws<ModelException>(() => ModelFamilies.Read(path)).Message);
        File.Delete(path);
        Assert.StartsWith($"'{path}': ", Assert.Throws<ModelException>(() => ModelFamilies.Read(path)).Message, StringComparison.Ordinal);
    }

    /// <summary>What is accepted is written so that it is read as the same.</summary>
    private static void ReadBack(string text)
    {
        var spec = ModelFamilies.Parse(text, maskToken: () => 1);
        if (!spec.Equals(ModelFamilies.Parse(ModelFamilies.Format(spec)))) throw new InvalidOperationException($"{spec} is read back as another");
    }

    private static IEnumerable<string> Folder(params string[] parts) => Directory.EnumerateFiles(Path.Combine([AppContext.BaseDirectory, .. parts])).Select(path => Path.GetRelativePath(AppContext.BaseDirectory, path));
}
