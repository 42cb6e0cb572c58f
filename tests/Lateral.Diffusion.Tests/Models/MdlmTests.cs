using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>What only a diffusion transformer has; parity is in <see cref="ParityTests"/>.</summary>
public class MdlmTests
{
    private const string Common = """ "model_type": "mdlm", "n_blocks": 2, "n_heads": 4, "cond_dim": 32, "vocab_size": 129 """;

    private static readonly Fixture Tiny = new("mdlm-tiny");

    [Fact]
    public void Names_of_the_code_and_of_the_published_checkpoint_must_say_the_same()
    {
        var code = ModelFamilies.Parse($$"""{ {{Common}}, "hidden_size": 64, "length": 64, "mask_index": 128, "dropout": 0.1, "scale_by_sigma": true }""");
        var published = ModelFamilies.Parse($$"""{ {{Common}}, "hidden_dim": 64, "model_length": 64, "time_conditioning": false, "return_dict": false, "torch_dtype": "float32" }""");
        Assert.Equal(code, published);
        Assert.Equal((64, 256, 128, 32), (code.Width, code.MlpWidth, code.MaskToken, code.ConditionWidth));
        // A tokenizer that has a mask says which.
        Assert.Equal(103, ModelFamilies.Parse($$"""{ {{Common}}, "hidden_dim": 64, "model_length": 64 }""", maskToken: () => 103).MaskToken);
    }

    [Theory]
    [InlineData("\"time_conditioning\": true", "time_conditioning = true is not implemented")]
    [InlineData("\"tie_word_embeddings\": true", "tie_word_embeddings = true is not implemented")]
    [InlineData("\"parameterization\": \"d3pm\"", "parameterization = \"d3pm\" is not understood")]
    [InlineData("\"n_heads\": 5", "hidden_size 64 must divide into n_heads 5")]
    [InlineData("\"cond_dim\": 0", "what blocks are told about the noise must have a width, got 0")]
    public void Setting_that_changes_the_mathematics_must_be_refused_by_name(string setting, string message)
    {
        var key = setting[..setting.IndexOf(':', StringComparison.Ordinal)];
        var common = string.Join(',', Common.Split(',').Where(line => !line.Contains(key, StringComparison.Ordinal)));
        Assert.Contains(message, Assert.Throws<ModelException>(() => ModelFamilies.Parse($$"""{ {{common}}, "hidden_size": 64, "length": 64, {{setting}} }""")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Noise_level_must_matter_where_it_is_told_and_be_none_where_it_is_not()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Tiny.Load();
        var ids_BL = tensor(new long[] { 1, 128, 128, 2, 128, 3 }, 2, 3);
        var untold = model.Hidden(ids_BL);
        Assert.InRange(LladaFixture.LargestDifference(untold, model.Hidden(ids_BL, null, zeros(2))), 0, 1e-5);
        // Each canvas has its own.
        var told = model.Hidden(ids_BL, null, tensor(new[] { 0f, 2f }));
        Assert.InRange(LladaFixture.LargestDifference(untold[0], told[0]), 0, 1e-5);
        Assert.True(LladaFixture.LargestDifference(untold[1], told[1]) > .1);
        using var llada = ModelStore.Fresh(TransformerSpec.OfSize("quickstart", 11, 10), seed: 1, trainable: false);
        Assert.Contains("told nothing about the noise", Assert.Throws<ModelException>(() => llada.Hidden(tensor(new long[] { 1 }, 1, 1), null, zeros(1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fresh_model_must_be_its_embedding_and_learn()
    {
        using var scope = NewDisposeScope();
        using var model = ModelStore.Fresh(ModelStore.ReadSpec(Tiny.Folder), seed: 3);
        var ids_BL = tensor(new long[] { 1, 128, 7, 2 }, 1, 4);
        // Gates are closed: all blocks are the identity.
        Assert.Single(model.HiddenStates(ids_BL).Take(model.Spec.Layers).Select(state => state.sum().item<float>()).Distinct());
        model.Logits(model.Hidden(ids_BL).view(-1, model.Spec.Width)).log_softmax(-1).narrow(1, 0, 1).sum().backward();
        var gates = model.Parameters["backbone.blocks.0.adaLN_modulation.bias"].grad!.chunk(6, 0);
        Assert.All(new[] { 2, 5 }, gate => Assert.True(gates[gate].abs().max().item<float>() > 1e-4));
    }

    [Fact]
    public void Decoding_must_keep_what_is_revealed_and_never_reveal_a_mask()
    {
        using var scope = NewDisposeScope();
        using var model = Tiny.Load();
        var (calls, prompt) = (new List<long[]>(), tensor(new long[] { 18, 32, 3 }, 1, 3));
        var output = SemiAutoregressiveDecoder.Decode(model, prompt, null, new(12, 6, 6), ids => calls.Add(ids.data<long>().ToArray())).data<long>().ToArray();
        Assert.Equal(6, calls.Count);
        Assert.Equal([18, 32, 3], output[..3]);
        Assert.DoesNotContain(128, output);
        Assert.All(calls, call => Assert.All(call.Zip(output), pair => Assert.True(pair.First == 128 || pair.First == pair.Second)));
    }

    [Fact]
    public void Model_and_adapters_of_every_linear_map_must_come_back_from_their_files()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Tiny.Load();
        var ids_BL = tensor(new long[] { 18, 128, 3 }, 1, 3);
        Tensor Logits(TransformerModel asked) => asked.Logits(asked.Hidden(ids_BL).view(-1, asked.Spec.Width));
        ModelStore.Save(model, folder);
        using var loaded = ModelStore.Load(folder, trainable: false);
        Assert.True(Logits(model).equal(Logits(loaded)).all().item<bool>());

        foreach (var target in new[] { "attn_qkv", "attn_out", "mlp.0", "mlp.2", "blocks.0.adaLN_modulation", "output_layer.adaLN_modulation", "sigma_map.mlp.0", "sigma_map.mlp.2", "output_layer.linear" })
        {
            using var adapter = LoraAdapter.Fresh(model.Spec, new(2, 4, [target]), seed: 5);
            foreach (var (_, value) in adapter.Parameters) value.AddInPlace(.05);
            model.Adapter = adapter;
            var adapted = Logits(model);
            Assert.True(LladaFixture.LargestDifference(adapted, Logits(loaded)) > 1e-4, target);
            using var merged = Tiny.Load();
            merged.Adapter = adapter;
            merged.Merge();
            Assert.InRange(LladaFixture.LargestDifference(adapted, Logits(merged)), 0, 5e-4);
        }

        Directory.Delete(folder, recursive: true);
    }
}
