using System.Text.Json;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>Block diffusion training of SDAR, [noisy ; clean] in one forward: who sees whom, logits, loss and gradients. Files <c>case-bd-training</c>.</summary>
internal static class BlockTrainingParity
{
    public static IEnumerable<ParityResult> Run(ParityFolder folder, string name)
    {
        using var scope = NewDisposeScope();
        using var model = folder.Load(trainable: true);
        using var file = folder.Has($"{name}.safetensors") ? folder.Tensors(name) : null;
        var (fixture, title) = (folder.Required(name), $"{folder.Name}/{name}");
        var (clean, noisy) = (fixture.Of("input_ids").Rows(), fixture.Of("noisy").Rows());
        var size = fixture.Find("block_size")?.GetInt32() ?? model.Spec.AttentionBlock ?? throw new JsonException("neither the case nor its model says how long a block is");
        var layout = Layout(clean.Length, clean[0].Length, size);
        var ids_BL = noisy.Zip(clean).Select(rows => (long[])[.. rows.First, .. rows.Second]).ToArray().Stacked();
        var results = new List<ParityResult>();
        if (file is not null)
        {
            // Both are the same for all rows of a batch.
            results.Add(ParityResult.Equal($"{title} mask", Different(file.Read("bd_mask"), layout.Visible_BLL[0]), "lets other positions be seen"));
            results.Add(ParityResult.Equal($"{title} positions", Different(file.Read("position_ids")[0], layout.Position_BL[0]), "places tokens elsewhere"));
            using var quiet = no_grad();
            var logits_BLV = model.Logits(model.HiddenRows(ids_BL, ForwardParity.All(ids_BL), layout)).view(ids_BL.shape[0], ids_BL.shape[1], -1);
            results.Add(ForwardParity.Compare($"{title} logits", file.Read("logits_concat"), logits_BLV, ForwardParity.Tolerance));
        }

        results.AddRange(LossParity.Compare(title, model.Parameters, file, Loss(model, fixture, clean, noisy, ids_BL, layout), fixture.Number("loss"), "grad."));
        return results;
    }

    /// <summary>-log p / p_mask of each masked token, over the answer's tokens.</summary>
    private static Tensor Loss(TransformerModel model, JsonElement fixture, long[][] clean, long[][] noisy, Tensor ids_BL, BlockCausalLayout layout)
    {
        var weight = 1 / (fixture.Number("p_mask") * fixture.Number("answer_len"));
        var batch = LossParity.Batch(clean, noisy, (_, _) => weight);
        // The noisy half comes first: a row of it stands where a row of twice its length begins.
        var rows_N = HostTensor.Of([.. batch.Rows_N.Select(row => (row / batch.Length * 2 * batch.Length) + (row % batch.Length))]);
        var logp_N = MaskedLoss.TokenLogProbs(model.Logits(model.HiddenRows(ids_BL, rows_N, layout)), HostTensor.Of(batch.Targets_N));
        return logp_N.Times(HostTensor.Of(batch.Weights_N)).sum().neg();
    }

    /// <summary>A noisy block sees itself and the clean ones before it, a clean block the clean ones up to itself (Arriola et al., arXiv 2503.09573, figure 3).</summary>
    private static BlockCausalLayout Layout(int canvases, int length, int size)
    {
        var (all, position, visible) = (2 * length, new long[canvases * 2 * length], new bool[4 * length * length]);
        for (var i = 0; i < position.Length; i++) position[i] = i % length;
        for (var query = 0; query < all; query++)
        {
            for (var key = 0; key < all; key++)
            {
                var (asks, answers) = (query % length / size, key % length / size);
                visible[(query * all) + key] = query < length ? key < length ? asks == answers : answers < asks : key >= length && answers <= asks;
            }
        }

        return new(HostTensor.Of(position, canvases, all), HostTensor.Of(visible, 1, all, all), length);
    }

    private static int Different(Tensor expected, Tensor found) => expected.shape.SequenceEqual(found.shape) ? (int)expected.ne(found).sum().item<long>() : (int)expected.numel();
}
