using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>Forwards against the reference's: logits, hidden states, what is cached. Files <c>case-forward</c>.</summary>
internal static class ForwardParity
{
    /// <summary>Measured agreement of independent implementations in float32, on logits of a standard deviation of 4 and up to <see cref="Usual"/>.</summary>
    public const double Tolerance = 5e-5;

    /// <summary>Float32 rounds what is larger more coarsely, in proportion.</summary>
    private const double Usual = 16;

    public static IEnumerable<ParityResult> Run(ParityFolder folder, string name)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = folder.Load();
        using var file = folder.Tensors(name);
        return [.. Of(model, file, $"{folder.Name}/{name}"), .. SubstitutionParity.Of(model, file, folder.Json(name), $"{folder.Name}/{name}")];
    }

    public static ParityResult Compare(string name, Tensor expected, Tensor found, double tolerance)
    {
        if (!expected.shape.SequenceEqual(found.shape)) return ParityResult.Failure(name, $"has shape [{string.Join(", ", found.shape)}] and the reference [{string.Join(", ", expected.shape)}]");
        var exact = expected.to_type(ScalarType.Float64);
        var error = exact.sub(found.detach().to_type(ScalarType.Float64)).abs().max().item<double>();
        var limit = tolerance * Math.Max(1, exact.abs().max().item<double>() / Usual);
        // Written so that what is no number fails.
        return new(name, error, error <= limit ? "" : $"differs by more than {limit:g2}");
    }

    /// <summary>[B * L] every row.</summary>
    public static Tensor All(Tensor ids_BL) => HostTensor.Of([.. Enumerable.Range(0, (int)ids_BL.numel()).Select(row => (long)row)]);

    /// <summary>[B, L, V] of hidden states [B, L, D].</summary>
    public static Tensor Logits(TransformerModel model, Tensor hidden_BLD) => model.Logits(hidden_BLD.reshape(-1, hidden_BLD.shape[2])).view(hidden_BLD.shape[0], hidden_BLD.shape[1], -1);

    private static List<ParityResult> Of(TransformerModel model, SafetensorsFile file, string title)
    {
        var ids_BL = file.Read("input_ids");
        var (b, l) = (ids_BL.shape[0], ids_BL.shape[1]);
        var results = new List<ParityResult>();
        void Add(string what, Func<Tensor> found)
        {
            if (file.Contains(what)) results.Add(Compare($"{title} {what}", file.Read(what), found(), Tolerance));
        }

        foreach (var (index, state) in model.HiddenStates(ids_BL).Index()) Add($"hidden_states.{index}", () => state);
        var logits_BLV = Logits(model, model.Hidden(ids_BL));
        Add("logits", () => logits_BLV);
        Add("logits_f64", () => logits_BLV);
        Add("logits_shifted", () => model.Logits(model.HiddenRows(ids_BL, All(ids_BL))).view(b, l, -1));
        if (file.Contains("logits_attention_mask"))
        {
            var attend_BL = file.Read("attention_mask");
            // Where every query of the reference sees nobody, its row means nothing.
            var real_BL1 = model.Spec.Shifted ? attend_BL.unsqueeze(-1).to_type(ScalarType.Float32) : ones(1);
            results.Add(Compare($"{title} logits_attention_mask", file.Read("logits_attention_mask").mul(real_BL1), Logits(model, model.Hidden(ids_BL, attend_BL)).mul(real_BL1), Tolerance));
        }

        results.AddRange(Cached(model, file, ids_BL, title));
        return results;
    }

    private static List<ParityResult> Cached(TransformerModel model, SafetensorsFile file, Tensor ids_BL, string title)
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
            results.Add(Compare($"{title} cache.{layer}.k", Reference("k_pre_rope"), keys_BTA, Tolerance));
            results.Add(Compare($"{title} cache.{layer}.v", Reference("v"), values_BTA, Tolerance));
        }

        return results;
    }
}
