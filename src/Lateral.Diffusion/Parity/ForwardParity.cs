using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>Forwards against the reference's: <c>case-forward</c> and <c>case-bd-training</c>.</summary>
internal static class ForwardParity
{
    /// <summary>Measured agreement of independent implementations in float32.</summary>
    private const double Tolerance = 5e-5;

    public static IEnumerable<ParityResult> Run(ParityFolder folder)
    {
        if (folder.Has("case-forward.safetensors"))
        {
            foreach (var result in Forward(folder)) yield return result;
        }

        if (folder.Has("case-bd-training.safetensors")) yield return BlockTraining(folder);
    }

    public static ParityResult Compare(string name, Tensor expected, Tensor found, double tolerance)
    {
        if (!expected.shape.SequenceEqual(found.shape)) return new(name, double.NaN, $"has shape [{string.Join(", ", found.shape)}] and the reference [{string.Join(", ", expected.shape)}]");
        var error = expected.to_type(ScalarType.Float64).sub(found.detach().to_type(ScalarType.Float64)).abs().max().item<double>();
        return new(name, error, error <= tolerance ? "" : $"differs by more than {tolerance:g2}");
    }

    /// <summary>[B * L] every row.</summary>
    private static Tensor All(Tensor ids_BL) => HostTensor.Of([.. Enumerable.Range(0, (int)ids_BL.numel()).Select(row => (long)row)]);

    private static List<ParityResult> Forward(ParityFolder folder)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = folder.Load();
        using var file = folder.Tensors("case-forward");
        var ids_BL = file.Read("input_ids");
        var (b, l, d) = (ids_BL.shape[0], ids_BL.shape[1], model.Spec.Width);
        string Name(string what) => $"{folder.Name}/case-forward {what}";
        var results = new List<ParityResult>();
        var states = model.HiddenStates(ids_BL).ToList();
        results.AddRange(states.Select((state, index) => file.Contains($"hidden_states.{index}") ? Compare(Name($"hidden_states.{index}"), file.Read($"hidden_states.{index}"), state, Tolerance) : null).OfType<ParityResult>());
        var logits_BLV = model.Logits(model.Hidden(ids_BL).view(-1, d)).view(b, l, -1);
        results.Add(Compare(Name("logits"), file.Read("logits"), logits_BLV, Tolerance));
        if (file.Contains("logits_f64")) results.Add(Compare(Name("logits_f64"), file.Read("logits_f64"), logits_BLV, Tolerance));
        if (file.Contains("logits_shifted"))
        {
            results.Add(Compare(Name("logits_shifted"), file.Read("logits_shifted").view(b * l, -1), model.Logits(model.HiddenRows(ids_BL, All(ids_BL))), Tolerance));
        }

        if (file.Contains("logits_attention_mask"))
        {
            var attend_BL = file.Read("attention_mask");
            var masked_BLV = model.Logits(model.Hidden(ids_BL, attend_BL).view(-1, d)).view(b, l, -1);
            // Where every query of the reference sees nobody, its row means nothing.
            var real_BL1 = model.Spec.Shifted ? attend_BL.unsqueeze(-1).to_type(ScalarType.Float32) : ones(1);
            results.Add(Compare(Name("logits_attention_mask"), file.Read("logits_attention_mask").mul(real_BL1), masked_BLV.mul(real_BL1), Tolerance));
        }

        results.AddRange(Cached(model, file, ids_BL, Name));
        return results;
    }

    private static List<ParityResult> Cached(TransformerModel model, SafetensorsFile file, Tensor ids_BL, Func<string, string> name)
    {
        if (!file.Contains("cache.0.v")) return [];
        using var cache = new KeyValueCache();
        model.HiddenWindow(ids_BL, cache, 0, store: true);
        var results = new List<ParityResult>();
        for (var layer = 0; file.Contains($"cache.{layer}.v"); layer++)
        {
            var (keys_BTA, values_BTA) = cache.Of(layer);
            // One reference keeps heads apart, [B, G, T, K].
            Tensor Reference(string what) => file.Read($"cache.{layer}.{what}") is var tensor && tensor.dim() == 4 ? tensor.transpose(1, 2).reshape(keys_BTA.shape) : tensor;
            results.Add(Compare(name($"cache.{layer}.k"), Reference("k_pre_rope"), keys_BTA, Tolerance));
            results.Add(Compare(name($"cache.{layer}.v"), Reference("v"), values_BTA, Tolerance));
        }

        return results;
    }

    private static ParityResult BlockTraining(ParityFolder folder)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = folder.Load();
        using var file = folder.Tensors("case-bd-training");
        var ids_BL = file.Read("concat_ids");
        var layout = new BlockCausalLayout(file.Read("position_ids"), file.Read("bd_mask").unsqueeze(0), (int)ids_BL.shape[1] / 2);
        return Compare($"{folder.Name}/case-bd-training logits", file.Read("logits_concat").view(ids_BL.numel(), -1), model.Logits(model.HiddenRows(ids_BL, All(ids_BL), layout)), Tolerance);
    }
}
