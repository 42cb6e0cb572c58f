using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class ModelStoreTests
{
    private static readonly TransformerSpec Quickstart = TransformerSpec.OfSize("quickstart", vocabulary: 11, maskToken: 10);

    [Fact]
    public void Quickstart_must_have_the_calibrated_number_of_parameters() => Assert.Equal(124_736, ModelStore.ParameterCount(Quickstart));

    [Theory]
    [InlineData("small", 0.49)]
    [InlineData("medium", 3.28)]
    [InlineData("large", 12.4)]
    public void Sizes_must_have_the_documented_number_of_parameters(string size, double millions) =>
        Assert.Equal(millions, ModelStore.ParameterCount(TransformerSpec.OfSize(size, 11, 10)) / 1e6, 0.02);

    [Fact]
    public void Fresh_model_must_have_the_prescribed_spread_and_depend_on_the_seed_alone()
    {
        using var model = ModelStore.Fresh(Quickstart, seed: 1);
        using var same = ModelStore.Fresh(Quickstart, seed: 1);
        using var other = ModelStore.Fresh(Quickstart, seed: 2);
        using var scope = NewDisposeScope();
        var spread = new Dictionary<string, double>
        {
            ["wte"] = 0.5,
            ["q_proj"] = 1 / 8.0,
            ["k_proj"] = 1 / 8.0,
            ["v_proj"] = 1 / 8.0,
            ["attn_out"] = 1 / 8.0 / Math.Sqrt(6),
            ["ff_proj"] = 1 / 8.0,
            ["up_proj"] = 1 / 8.0,
            [@"blocks\.\d\.ff_out"] = 1 / Math.Sqrt(128) / Math.Sqrt(6),
            [@"transformer\.ff_out"] = 0.5 / 8,
        };
        foreach (var (name, parameter) in model.Parameters)
        {
            Assert.True(parameter.equal(same.Parameters[name]).all().item<bool>());
            var values = parameter.detach().data<float>().ToArray();
            if (name.Contains("norm", StringComparison.Ordinal) || name.Contains("ln_f", StringComparison.Ordinal))
            {
                Assert.All(values, value => Assert.Equal(1f, value));
                continue;
            }

            Assert.False(parameter.equal(other.Parameters[name]).all().item<bool>());
            var deviation = spread.Single(pair => System.Text.RegularExpressions.Regex.IsMatch(name, pair.Key)).Value;
            // Five standard errors of a standard deviation.
            Assert.Equal(deviation, Math.Sqrt(values.Average(value => value * value)), deviation * 5 / Math.Sqrt(2.0 * values.Length));
        }
    }

    [Fact]
    public void Saved_model_must_load_to_the_same_values_and_hash()
    {
        var (first, second) = (Directory.CreateTempSubdirectory().FullName, Directory.CreateTempSubdirectory().FullName);
        using var model = ModelStore.Fresh(Quickstart with { EosToken = 3, PadToken = 3 }, seed: 9);
        var hash = ModelStore.Save(model, first);
        using var loaded = ModelStore.Load(first);
        Assert.Equal(model.Spec, loaded.Spec);
        using var scope = NewDisposeScope();
        Assert.All(model.Parameters, pair => Assert.True(pair.Value.equal(loaded.Parameters[pair.Key]).all().item<bool>()));
        Assert.All(loaded.Parameters.Values, parameter => Assert.True(parameter.requires_grad && parameter.is_leaf));
        Assert.Equal(hash, ModelStore.Save(loaded, second));
    }

    [Fact]
    public void CopyInto_must_swap_all_parameters_or_none()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        using var old = ModelStore.Fresh(Quickstart, seed: 1);
        using var next = ModelStore.Fresh(Quickstart, seed: 2);
        ModelStore.Save(next, folder);
        using var scope = NewDisposeScope();
        using (var file = SafetensorsFile.Open(Path.Combine(folder, ModelStore.WeightsFile))) ModelStore.CopyInto(old, file, "step 2");
        Assert.All(next.Parameters, pair => Assert.True(pair.Value.equal(old.Parameters[pair.Key]).all().item<bool>()));

        var partial = next.Parameters.ToDictionary(pair => pair.Key, pair => pair.Value.detach().Plus(1));
        partial["model.transformer.ff_out.weight"] = ones(12, 64);
        SafetensorsWriter.Write(Path.Combine(folder, "bad.safetensors"), partial);
        using var bad = SafetensorsFile.Open(Path.Combine(folder, "bad.safetensors"));
        Assert.Contains("[12, 64]", Assert.Throws<ModelException>(() => ModelStore.CopyInto(old, bad, "step 3")).Message, StringComparison.Ordinal);
        Assert.All(next.Parameters, pair => Assert.True(pair.Value.equal(old.Parameters[pair.Key]).all().item<bool>()));
    }

    [Fact]
    public void Load_must_name_missing_and_foreign_tensors()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        using var model = ModelStore.Fresh(Quickstart, seed: 1);
        ModelStore.Save(model, folder);
        var wrong = model.Parameters.ToDictionary(pair => pair.Key.Replace("q_proj", "query", StringComparison.Ordinal), pair => pair.Value);
        SafetensorsWriter.Write(Path.Combine(folder, ModelStore.WeightsFile), wrong);
        var message = Assert.Throws<ModelException>(() => ModelStore.Load(folder)).Message;
        Assert.Contains("3 tensors are missing (model.transformer.blocks.0.q_proj.weight", message, StringComparison.Ordinal);
        Assert.Contains("3 are foreign (model.transformer.blocks.0.query.weight", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_must_find_what_loading_would()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        using var model = ModelStore.Fresh(Quickstart, seed: 1);
        ModelStore.Save(model, folder);
        Assert.Equal(Quickstart, ModelStore.Inspect(folder));

        using var scope = NewDisposeScope();
        var wrong = model.Parameters.ToDictionary();
        wrong["model.transformer.ff_out.weight"] = ones(12, 64);
        SafetensorsWriter.Write(Path.Combine(folder, ModelStore.WeightsFile), wrong);
        var message = Assert.Throws<ModelException>(() => ModelStore.Inspect(folder)).Message;
        Assert.Contains("ff_out.weight is [12, 64], its configuration needs [11, 64]", message, StringComparison.Ordinal);
        Assert.Equal(message, Assert.Throws<ModelException>(() => ModelStore.Load(folder)).Message);
        wrong.Remove("model.transformer.ff_out.weight");
        SafetensorsWriter.Write(Path.Combine(folder, ModelStore.WeightsFile), wrong);
        Assert.Contains("1 tensors are missing", Assert.Throws<ModelException>(() => ModelStore.Inspect(folder)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"block_type\": \"sequential\"", "block_type")]
    [InlineData("\"layer_norm_type\": \"low_precision\"", "layer_norm_type")]
    [InlineData("\"weight_tying\": true", "weight_tying")]
    [InlineData("\"include_qkv_bias\": true", "include_qkv_bias")]
    [InlineData("\"scale_logits\": true", "scale_logits")]
    [InlineData("\"attention_dropout\": 0.1", "attention_dropout")]
    [InlineData("\"rope_full_precision\": false", "rope_full_precision")]
    [InlineData("\"n_kv_heads\": 3", "share 3 key heads")]
    [InlineData("\"mask_token_id\": 11", "mask_token_id 11")]
    [InlineData("\"d_model\": 66", "width 66")]
    [InlineData("\"n_layers\": \"three\"", "n_layers")]
    [InlineData("\"model_type\": \"GPT\"", "model_type")]
    public void Configuration_must_refuse_other_mathematics_by_name(string change, string expected)
    {
        var key = change[..change.IndexOf(':', StringComparison.Ordinal)];
        var lines = ModelFamilies.Format(Quickstart).Split('\n');
        var changed = string.Join('\n', lines.Select(line => line.TrimStart().StartsWith(key + ":", StringComparison.Ordinal) ? $" {change}{(line.EndsWith(',') ? "," : "")}" : line));
        Assert.Equal(Quickstart, ModelFamilies.Parse(ModelFamilies.Format(Quickstart)));
        Assert.Contains(expected, Assert.Throws<ModelException>(() => ModelFamilies.Parse(changed)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Released_configuration_must_be_understood()
    {
        var spec = ModelFamilies.Read(Path.Combine(LladaFixture.Folder, "config.json"));
        Assert.Equal(new TransformerSpec(64, 2, 4, 192, 512, 256, 1e-5, 500_000, 500, 498, 498), spec);
    }
}
