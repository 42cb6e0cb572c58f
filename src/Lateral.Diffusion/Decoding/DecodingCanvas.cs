using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>
/// The ids of a batch while it is decoded, on the model's device, and the model's answers about some of its positions. Every forward is reported, so that a decoder can be compared with its reference
/// call by call.
/// </summary>
/// <remarks>
/// Shapes: B canvases, L length, K positions of a span, V vocabulary, D width. What is masked at first is open, everything else is given and nobody's to change. All open positions lie in [Begin, End);
/// behind a prompt they are all of them.
/// </remarks>
internal sealed class DecodingCanvas : IDisposable
{
    private readonly TransformerModel _model;
    private readonly Action<Tensor>? _seen;
    private readonly Tensor? _attend_BL;
    private readonly Tensor _open_BL;
    private readonly Dictionary<(int Canvases, int Length, int Begin, int End), Tensor> _rows = [];

    private DecodingCanvas(TransformerModel model, Tensor ids_BL, Tensor? attend_BL, int begin, int end, Action<Tensor>? seen)
    {
        (_model, _seen, Begin, End) = (model, seen, begin, end);
        Ids_BL = ids_BL.DetachFromDisposeScope();
        _attend_BL = attend_BL?.DetachFromDisposeScope();
        _open_BL = model.Masked(ids_BL).DetachFromDisposeScope();
    }

    /// <summary>[B, L] int64</summary>
    public Tensor Ids_BL { get; }

    public int Canvases => (int)Ids_BL.shape[0];

    public int Length => (int)Ids_BL.shape[1];

    /// <summary>The first position that a decoder looks at: the prompt's length, or the first mask of any canvas.</summary>
    public int Begin { get; }

    /// <summary>One behind the last.</summary>
    public int End { get; }

    /// <summary>A completion of masks behind a prompt.</summary>
    /// <param name="prompt_BP">int64</param>
    /// <param name="attend_BP">1 where the prompt is no padding; null = nowhere</param>
    /// <param name="seen">told of the ids of every forward; they belong to the canvas</param>
    public static DecodingCanvas Behind(TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, int length, Action<Tensor>? seen)
    {
        using var scope = NewDisposeScope();
        var (b, p) = (prompt_BP.shape[0], prompt_BP.shape[1]);
        if (p + length > model.Spec.MaxLength) throw new ModelException($"a prompt of {p} tokens and a completion of {length} are longer than the model's {model.Spec.MaxLength}");
        var ids_BL = cat([prompt_BP.to(model.Device), zeros([b, length], ScalarType.Int64, model.Device).Plus((long)model.Spec.MaskToken)], 1);
        var attend_BL = attend_BP is null ? null : cat([attend_BP.to(model.Device).to_type(ScalarType.Int64), ones([b, length], ScalarType.Int64, model.Device)], 1);
        return new(model, ids_BL, attend_BL, (int)p, (int)p + length, seen);
    }

    /// <summary>Given tokens with masks wherever they are wanted, which see what stands on both of their sides.</summary>
    /// <param name="canvas_BL">int64; canvases may have their masks at different places</param>
    /// <param name="attend_BL">1 where a canvas is no padding; null = nowhere</param>
    /// <exception cref="DecodingException">There is no mask, or the model does not see what stands behind one.</exception>
    public static DecodingCanvas WithHoles(TransformerModel model, Tensor canvas_BL, Tensor? attend_BL, Action<Tensor>? seen)
    {
        if (model.Spec.Causal || model.Spec.AttentionBlock is not null)
            throw new DecodingException($"a {model.Spec.Family} model does not see what stands behind {(model.Spec.AttentionBlock is { } size ? $"a block of {size} tokens" : "a token")}: it completes prompts, and cannot fill masks that tokens follow");
        using var scope = NewDisposeScope();
        if (canvas_BL.shape[1] > model.Spec.MaxLength) throw new ModelException($"a canvas of {canvas_BL.shape[1]} tokens is longer than the model's {model.Spec.MaxLength}");
        var ids_BL = canvas_BL.to(model.Device).clone();
        var masked_L = model.Masked(ids_BL).any(0).cpu().data<bool>().ToArray();
        if (!masked_L.Contains(true)) throw new DecodingException($"the canvas has no mask (token {model.Spec.MaskToken}) that could be filled");
        return new(model, ids_BL, attend_BL?.to(model.Device).to_type(ScalarType.Int64).clone(), Array.IndexOf(masked_L, true), Array.LastIndexOf(masked_L, true) + 1, seen);
    }

    /// <summary>[B, K] bool: was masked at first.</summary>
    public Tensor Open(int begin, int end) => _open_BL.narrow(1, begin, end - begin);

    /// <summary>[B, K] bool: not yet revealed.</summary>
    public Tensor Masked(int begin, int end) => _model.Masked(Span(begin, end));

    /// <summary>Of each canvas, how many positions of a span are masked: read back from the device.</summary>
    public int[] MaskedCounts(int begin, int end)
    {
        using var scope = NewDisposeScope();
        return [.. Masked(begin, end).sum(1, type: ScalarType.Int64).cpu().data<long>().ToArray().Select(count => (int)count)];
    }

    /// <summary>[1] how often a token stands in a span of all canvases.</summary>
    public Tensor Count(int begin, int end, int token)
    {
        var span_BK = Span(begin, end);
        return span_BK.eq(zeros_like(span_BK).Plus((long)token)).sum(ScalarType.Int64).view(1);
    }

    /// <summary>[B, K, D] hidden states that answer for the positions of a span, of a forward of everything.</summary>
    /// <param name="cache">keeps what is computed; null = nothing does</param>
    public Tensor Hidden(int begin, int end, KeyValueCache? cache = null)
    {
        _seen?.Invoke(Ids_BL);
        var rows_N = Rows(Canvases, Length, begin, end);
        if (cache is null) return _model.HiddenRows(Ids_BL, rows_N, _attend_BL).view(Canvases, end - begin, -1);
        if (_attend_BL is not null) throw new ModelException("a cache needs prompts of one length: padding is not cached");
        return _model.HiddenWindow(Ids_BL, cache, 0, store: true, rows_N).view(Canvases, end - begin, -1);
    }

    /// <summary>[2 B, K, D]: with what is given, and below it with that masked, of one forward.</summary>
    public Tensor HiddenWithAndWithoutGiven(int begin, int end)
    {
        // Padding stays what it is.
        var kept_BL = _attend_BL is null ? _open_BL : _open_BL.logical_or(_attend_BL.to_type(ScalarType.Bool).logical_not());
        var both_BL = cat([Ids_BL, where(kept_BL, Ids_BL, zeros_like(Ids_BL).Plus((long)_model.Spec.MaskToken))], 0);
        _seen?.Invoke(both_BL);
        return _model.HiddenRows(both_BL, Rows(2 * Canvases, Length, begin, end), _attend_BL is null ? null : cat([_attend_BL, _attend_BL], 0)).view(2 * Canvases, end - begin, -1);
    }

    /// <summary>[B, K, D] hidden states that answer for a span, of a forward of the window [from, to) that contains it.</summary>
    /// <param name="visible_1WT">see <see cref="TransformerModel.HiddenWindow"/></param>
    public Tensor Hidden(int from, int to, int begin, int end, KeyValueCache cache, bool store, Tensor? visible_1WT = null)
    {
        var window_BW = Span(from, to);
        _seen?.Invoke(window_BW);
        return _model.HiddenWindow(window_BW, cache, from, store, Rows(Canvases, to - from, begin - from, end - from), visible_1WT).view(Canvases, end - begin, -1);
    }

    /// <summary>[B, K, D] hidden states that answer for those positions of a span that are chosen, of a forward of all chosen ones, whose keys and values are then cached; others get some chosen one's.</summary>
    /// <param name="chosen_BL">bool, of each canvas equally many, and some of the span</param>
    public Tensor HiddenAt(Tensor chosen_BL, int begin, int end, KeyValueCache cache)
    {
        var counts = chosen_BL.sum(1, type: ScalarType.Int64).cpu().data<long>().ToArray();
        var w = counts[0];
        // A step behind the last mask: nothing has to be computed again, and nothing is revealed.
        if (counts.All(count => count == 0)) return Hidden(begin, end, cache);
        if (counts.Any(count => count != w)) throw new DecodingException($"canvases of one batch have {string.Join(", ", counts)} masks to compute again, and must have equally many: decode even shares, or one at a time");
        // Canvas by canvas, and in a canvas from left to right.
        var at_BW = chosen_BL.nonzero().select(1, 1).contiguous().view(Canvases, w);
        var ids_BW = Ids_BL.gather(1, at_BW);
        _seen?.Invoke(ids_BW);
        var row_BK = chosen_BL.to_type(ScalarType.Int64).cumsum(1).narrow(1, begin, end - begin).Plus(-1L).Limited(0L, w - 1);
        var first_B1 = HostTensor.Of([.. Enumerable.Range(0, Canvases).Select(canvas => canvas * w)], Canvases, 1).to(_model.Device);
        return _model.HiddenAt(ids_BW, at_BW, cache, row_BK.Plus(first_B1).reshape(-1)).view(Canvases, end - begin, -1);
    }

    /// <summary>[B, K, V] of hidden states, without the mask token, which is never sampled.</summary>
    public Tensor Logits(Tensor hidden_BKD) => OutputDistribution.Logits(_model, hidden_BKD.reshape(-1, _model.Spec.Width)).view(hidden_BKD.shape[0], hidden_BKD.shape[1], -1);

    /// <summary>[B] the same number for every canvas.</summary>
    public Tensor Quota(int positions) => Quota(Enumerable.Repeat(positions, Canvases));

    /// <summary>[B] a number for each canvas.</summary>
    public Tensor Quota(IEnumerable<int> positions) => HostTensor.Of([.. positions.Select(count => (long)count)]).to(_model.Device);

    /// <summary>[B, K] bool: the token of an open position is another one.</summary>
    public Tensor Differs(int begin, Tensor tokens_BK) => Ids_BL.narrow(1, begin, tokens_BK.shape[1]).ne(tokens_BK).logical_and(Open(begin, begin + (int)tokens_BK.shape[1]));

    /// <summary>Writes tokens where they are chosen.</summary>
    public void Reveal(int begin, Tensor tokens_BK, Tensor chosen_BK)
    {
        var span_BK = Ids_BL.narrow(1, begin, chosen_BK.shape[1]);
        span_BK.copy_(where(chosen_BK, tokens_BK, span_BK));
    }

    /// <summary>Masks chosen positions again.</summary>
    public void Hide(int begin, Tensor chosen_BK) => Reveal(begin, zeros_like(chosen_BK, ScalarType.Int64).Plus((long)_model.Spec.MaskToken), chosen_BK);

    public void Dispose()
    {
        Ids_BL.Dispose();
        _open_BL.Dispose();
        _attend_BL?.Dispose();
        foreach (var rows_N in _rows.Values) rows_N.Dispose();
    }

    private Tensor Span(int begin, int end) => Ids_BL.narrow(1, begin, end - begin);

    /// <summary>[B * K] rows of a span in canvases of a length; a block's steps all ask for the same.</summary>
    private Tensor Rows(int canvases, int length, int begin, int end)
    {
        if (_rows.TryGetValue((canvases, length, begin, end), out var rows_N)) return rows_N;
        using var scope = NewDisposeScope();
        rows_N = HostTensor.Of([.. Enumerable.Range(0, canvases).SelectMany(canvas => Enumerable.Range(begin, end - begin).Select(i => ((long)canvas * length) + i))]).to(_model.Device).DetachFromDisposeScope();
        _rows.Add((canvases, length, begin, end), rows_N);
        return rows_N;
    }
}
