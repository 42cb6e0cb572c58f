using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>What holds for every family beside its forward, whose parity is in <see cref="ParityTests"/>.</summary>
public class ModelFamilyTests
{
    // Measured agreement of independent implementations in float32 on these hot random weights.
    private const double Tolerance = 5e-5;

    // What these two configurations leave open.
    private static readonly ModelChoices MoeMask = new(MaskToken: 503), Llada2 = new(MaskToken: 503, AttentionBlock: 8);

    public static TheoryData<string> Models => new("llada-tiny", "dream-tiny", "sdar-tiny", "llada-moe-tiny", "llada2-tiny", "llada21-tiny", "mdlm-tiny");

    [Theory]
    [MemberData(nameof(Models))]
    public void Chosen_rows_must_be_what_answers_for_their_positions(string name)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Load(name);
        using var expected = new Fixture(name).Tensors("case-forward");
        var ids_BL = expected.Read("input_ids");
        var (b, l) = (ids_BL.shape[0], ids_BL.shape[1]);
        // Every canvas's first position, one in the middle and its last.
        var rows_N = tensor(Enumerable.Range(0, (int)b).SelectMany(canvas => new[] { canvas * l, canvas * l + 7, canvas * l + l - 1 }).ToArray());
        var logits_NV = model.Logits(model.HiddenRows(ids_BL, rows_N));
        var answers = expected.Read(model.Spec.Shifted ? "logits_shifted" : name == "mdlm-tiny" ? "logits_sigma0" : "logits").view(b * l, -1).index_select(0, rows_N);
        Assert.InRange(LladaFixture.LargestDifference(answers, logits_NV), 0, Tolerance);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Configuration_must_be_read_back_from_what_is_written(string name)
    {
        var spec = ModelStore.ReadSpec(new Fixture(name).Folder, Choices(name));
        Assert.Equal(spec, ModelFamilies.Parse(ModelFamilies.Format(spec)));
        using var fresh = ModelStore.Fresh(spec, seed: 1, trainable: false);
        Assert.Equal(ModelStore.ParameterCount(spec), fresh.Parameters.Values.Sum(parameter => parameter.numel()));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Gradient_must_reach_every_parameter_that_took_part(string name)
    {
        using var scope = NewDisposeScope();
        using var model = new Fixture(name).Load(trainable: true, Choices(name));
        using var expected = new Fixture(name).Tensors("case-forward");
        model.Logits(model.Hidden(expected.Read("input_ids")).view(-1, model.Spec.Width)).log_softmax(-1).narrow(1, 0, 1).sum().backward();
        // An expert that no token chose has no part in it, and who is chosen has no derivative.
        Assert.All(model.Parameters.Where(pair => !pair.Key.Contains(".experts.", StringComparison.Ordinal) && !pair.Key.EndsWith("expert_bias", StringComparison.Ordinal)), pair => Assert.True(pair.Value.grad is { } grad && grad.abs().sum().item<float>() > 0, pair.Key));
        if (model.Spec.Experts is not null) Assert.Contains(model.Parameters, pair => pair.Key.Contains(".experts.", StringComparison.Ordinal) && pair.Value.grad is { } grad && grad.abs().sum().item<float>() > 0);
    }

    [Fact]
    public void Loop_must_run_its_blocks_as_often_as_it_says()
    {
        var plain = TransformerSpec.OfSize("quickstart", 11, 10);
        Assert.Equal([0, 1, 2, 1, 2, 1, 2], LoopSpec.Order(new(1, 3, 3), 3));
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var once = ModelStore.Fresh(plain, seed: 5, trainable: false);
        using var looped = ModelStore.Fresh(plain with { Loop = new(0, 2, 2) }, seed: 5, trainable: false);
        using var unrolled = ModelStore.Fresh(plain with { Layers = 5 }, seed: 5, trainable: false);
        foreach (var (layer, source) in new[] { 0, 1, 0, 1, 2 }.Index())
        {
            foreach (var (name, value) in once.Parameters.Where(pair => pair.Key.Contains($"blocks.{source}.", StringComparison.Ordinal))) unrolled.Parameters[name.Replace($"blocks.{source}.", $"blocks.{layer}.", StringComparison.Ordinal)].copy_(value);
        }

        foreach (var (name, value) in once.Parameters.Where(pair => !pair.Key.Contains("blocks.", StringComparison.Ordinal))) unrolled.Parameters[name].copy_(value);
        foreach (var (name, value) in once.Parameters) looped.Parameters[name].copy_(value);
        var ids = tensor(new long[] { 1, 2, 10, 10, 3 }, 1, 5);
        Assert.True(looped.Hidden(ids).equal(unrolled.Hidden(ids)).all().item<bool>());
        Assert.False(looped.Hidden(ids).equal(once.Hidden(ids)).all().item<bool>());
        Assert.Equal(looped.Spec, ModelFamilies.Parse(ModelFamilies.Format(looped.Spec)));
    }

    [Theory]
    [InlineData("\"tie_word_embeddings\": true", "tie_word_embeddings = true is not implemented")]
    [InlineData("\"rope_scaling\": {\"type\": \"yarn\"}", "rope_scaling = ")]
    [InlineData("\"use_sliding_window\": true", "use_sliding_window = true is not implemented")]
    [InlineData("\"logit_softcap\": 30.0", "logit_softcap = 30.0 is not understood")]
    [InlineData("\"loop\": {\"start\": 0, \"end\": 9, \"count\": 2}", "a loop goes over some of 2 blocks")]
    [InlineData("\"num_key_value_heads\": 3", "4 query heads must share 3 key heads evenly")]
    [InlineData("\"partial_rotary_factor\": 0.3", "partial_rotary_factor = 0.3")]
    [InlineData("\"hidden_act\": \"gelu\"", "hidden_act = \"gelu\" is not implemented")]
    public void Setting_that_changes_the_mathematics_must_be_refused_by_name(string setting, string message)
    {
        var json = $$"""{ "model_type": "Dream", "vocab_size": 16, "hidden_size": 64, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 64, "mask_token_id": 15, {{setting}} }""";
        Assert.Contains(message, Assert.Throws<ModelException>(() => ModelFamilies.Parse(json)).Message, StringComparison.Ordinal);
    }

    private static ModelChoices? Choices(string name) => name.StartsWith("llada2", StringComparison.Ordinal) ? Llada2 : name == "llada-moe-tiny" ? MoeMask : null;

    private static TransformerModel Load(string name) => new Fixture(name).Load(choices: Choices(name));
}
