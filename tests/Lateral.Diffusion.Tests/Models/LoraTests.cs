using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Adapters: what their targets hit, what is written, and what is refused. Parity with PEFT is in <see cref="ParityTests"/>.</summary>
public class LoraTests
{
    private static readonly TransformerSpec Spec = TransformerSpec.OfSize("quickstart", 11, 10);

    [Fact]
    public void Fresh_adapter_must_leave_the_model_as_it_is_and_come_back_from_its_files()
    {
        using var scope = NewDisposeScope();
        var folder = Directory.CreateTempSubdirectory().FullName;
        using var model = ModelStore.Fresh(Spec, seed: 1, trainable: false);
        using var adapter = LoraAdapter.Fresh(Spec, new(4, 8, ["q_proj", "ff_proj"]), seed: 2);
        Assert.Equal(2 * Spec.Layers, adapter.Modules.Count);
        var ids = tensor(new long[] { 1, 10, 3 }, 1, 3);
        var plain = model.Hidden(ids).detach();
        model.Adapter = adapter;
        Assert.True(plain.equal(model.Hidden(ids)).all().item<bool>());
        using (no_grad()) foreach (var (_, value) in adapter.Parameters) value.AddInPlace(0.1);
        var adapted = model.Hidden(ids).detach();
        Assert.False(plain.equal(adapted).all().item<bool>());

        adapter.Save(folder);
        using var loaded = LoraAdapter.Load(folder, Spec);
        Assert.Equal(adapter.Settings.Format(), loaded.Settings.Format());
        model.Adapter = loaded;
        Assert.True(adapted.equal(model.Hidden(ids)).all().item<bool>());
        model.Merge();
        Assert.Null(model.Adapter);
        Assert.InRange(LladaFixture.LargestDifference(adapted, model.Hidden(ids)), 1e-9, 1e-4);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("q_proj,k_proj,v_proj,o_proj,up_proj,down_proj,gate_proj", "no module of a llada model is called o_proj, down_proj, gate_proj", "9 linear maps of the blocks stay as they are, such as model.transformer.blocks.0.attn_out")]
    [InlineData("ff_out", "18 linear maps", "the head, model.transformer.ff_out, is adapted too")]
    [InlineData("q_proj,k_proj,v_proj,attn_out,ff_proj,up_proj", "3 linear maps of the blocks stay as they are, such as model.transformer.blocks.0.ff_out")]
    public void Targets_that_miss_modules_or_hit_the_head_must_be_told(string targets, params string[] sentences)
    {
        var warnings = LoraAdapter.Warnings(Spec, new(4, 8, [.. targets.Split(',')]));
        Assert.All(sentences, sentence => Assert.Contains(warnings, warning => warning.StartsWith(sentence, StringComparison.Ordinal) || warning.Contains(sentence, StringComparison.Ordinal)));
        Assert.Empty(LoraAdapter.Warnings(Spec, new(4, 8, [], @".*blocks\.\d+\.(q_proj|k_proj|v_proj|attn_out|ff_proj|up_proj|ff_out)")));
    }

    [Theory]
    [InlineData("\"use_dora\": true", "use_dora = true is not implemented")]
    [InlineData("\"bias\": \"all\"", "bias = \"all\" is not implemented")]
    [InlineData("\"modules_to_save\": [\"lm_head\"]", "modules_to_save = ")]
    [InlineData("\"rank_pattern\": {\"q_proj\": 2}", "rank_pattern = ")]
    [InlineData("\"peft_type\": \"IA3\"", "peft_type = \"IA3\" is not implemented")]
    [InlineData("\"r\": 0", "r 0 and lora_alpha 8 must be positive")]
    [InlineData("\"target_modules\": \"(\"", "is no regular expression")]
    [InlineData("\"target_modules\": 3", "must be a list of names or one regular expression")]
    public void What_is_not_implemented_must_be_refused_by_name(string setting, string message)
    {
        var key = setting[..setting.IndexOf(':', StringComparison.Ordinal)];
        string[] usual = ["\"peft_type\": \"LORA\"", "\"r\": 4", "\"lora_alpha\": 8", "\"target_modules\": [\"q_proj\"]"];
        var json = $"{{ {string.Join(", ", usual.Where(line => !line.StartsWith(key, StringComparison.Ordinal)).Append(setting))} }}";
        Assert.Contains(message, Assert.Throws<ModelException>(() => LoraSettings.Parse(json)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Adapter_of_another_model_must_be_refused()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        using (var adapter = LoraAdapter.Fresh(Spec, new(4, 8, ["q_proj"]), seed: 2)) adapter.Save(folder);
        var wider = Spec with { Width = 128, HeadWidth = 32, RotaryWidth = 32 };
        Assert.Contains("needs [4, 128]", Assert.Throws<ModelException>(() => LoraAdapter.Load(folder, wider)).Message, StringComparison.Ordinal);
        var deeper = Spec with { Layers = 4 };
        Assert.Contains("has no tensor base_model.model.model.transformer.blocks.3.q_proj.lora_A.weight", Assert.Throws<ModelException>(() => LoraAdapter.Load(folder, deeper)).Message, StringComparison.Ordinal);
        Assert.Contains("names no linear map of a llada model", Assert.Throws<ModelException>(() => LoraAdapter.Fresh(Spec, new(4, 8, ["gate_proj"]), seed: 2)).Message, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }
}
