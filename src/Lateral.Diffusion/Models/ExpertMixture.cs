using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>
/// A mixture of experts: every row goes to the few experts that its router scores highest, and gets their outputs' weighted sum. Rows are sorted by expert, so each expert is one product over its own
/// rows; where the pieces end is read back once a block.
/// </summary>
/// <remarks>Shapes: R rows, D width, E experts, C chosen ones of a row, P = R * C pairs of a row and an expert.</remarks>
internal static class ExpertMixture
{
    private const double Tiny = 1e-20;

    public static Tensor Of(ExpertSpec spec, BlockWeights weights, Tensor x_RD)
    {
        var (r, d) = (x_RD.shape[0], x_RD.shape[1]);
        var (chosen_RC, share_RC) = Route(spec, weights, x_RD);
        var (expert_P, order_P) = chosen_RC.view(-1).sort(0, descending: false, stable: true);
        // Which row a pair belongs to, without counting in a loop: pairs stand row by row.
        var row_P = RowOfPair(r, spec.PerToken, x_RD.device).index_select(0, order_P);
        var counts = Counts(expert_P, spec.Count);
        var pieces = new List<Tensor>();
        for (int expert = 0, at = 0; expert < spec.Count; at += counts[expert], expert++)
        {
            if (counts[expert] > 0) pieces.Add(GatedBlock.Gated(weights, $"experts.{expert}.", x_RD.index_select(0, row_P.narrow(0, at, counts[expert]))));
        }

        var weighted_PD = cat(pieces, 0).Times(share_RC.view(-1).index_select(0, order_P).unsqueeze(1).to_type(x_RD.dtype));
        var mixed_RD = zeros([r, d], x_RD.dtype, x_RD.device).PlusAt(row_P, weighted_PD);
        return spec.SharedWidth > 0 ? mixed_RD.Plus(GatedBlock.Gated(weights, "shared.", x_RD)) : mixed_RD;
    }

    /// <summary>[R, C] experts and their weights; scores are float32 whatever the weights' type.</summary>
    private static (Tensor Chosen_RC, Tensor Share_RC) Route(ExpertSpec spec, BlockWeights weights, Tensor x_RD)
    {
        var logits_RE = nn.functional.linear(x_RD.to_type(ScalarType.Float32), weights[ModelLayout.Router].to_type(ScalarType.Float32));
        var score_RE = spec.Sigmoid ? logits_RE.sigmoid() : logits_RE.softmax(-1);
        // The bias says who is chosen and not with what weight.
        var rank_RE = spec.HasBias ? score_RE.Plus(weights[ModelLayout.RouterBias].to_type(ScalarType.Float32)) : score_RE;
        if (spec.GroupsPerToken < spec.Groups) rank_RE = WithinGroups(spec, rank_RE);
        var chosen_RC = rank_RE.topk(spec.PerToken, -1).indexes;
        var share_RC = score_RE.gather(1, chosen_RC);
        if (spec.Renormalised) share_RC = share_RC.DividedBy(share_RC.sum(-1, keepdim: true).Plus(Tiny));
        return (chosen_RC, spec.Scale == 1 ? share_RC : share_RC.Times(spec.Scale));
    }

    /// <summary>Minus infinity for experts of groups that are not among the best, each judged by its two best experts.</summary>
    private static Tensor WithinGroups(ExpertSpec spec, Tensor rank_RE)
    {
        var r = rank_RE.shape[0];
        var grouped_RGS = rank_RE.view(r, spec.Groups, spec.Count / spec.Groups);
        var best_RC = grouped_RGS.topk(2, -1).values.sum(-1).topk(spec.GroupsPerToken, -1).indexes;
        var kept_RG = zeros([r, spec.Groups], ScalarType.Float32, rank_RE.device).scatter(1, best_RC, ones_like(best_RC, ScalarType.Float32));
        return grouped_RGS.Filled(kept_RG.eq(zeros_like(kept_RG)).unsqueeze(-1), double.NegativeInfinity).view(r, spec.Count);
    }

    private static Tensor RowOfPair(long rows, int perToken, Device device)
    {
        var one_R = ones([rows], ScalarType.Int64, device);
        return one_R.cumsum(0).Minus(one_R).repeat_interleave(perToken);
    }

    /// <summary>How many pairs each expert has.</summary>
    private static int[] Counts(Tensor expert_P, int experts)
    {
        var counts = expert_P.bincount(null, experts).cpu();
        return [.. counts.data<long>().ToArray().Select(count => (int)count)];
    }
}
