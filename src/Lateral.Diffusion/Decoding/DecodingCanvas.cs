using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>
/// The ids of a batch while it is decoded, on the model's device, and the model's answers about some of its positions. Every forward is reported, so that a decoder can be compared with its reference
/// call by call.
/// </summary>
/// <remarks>Shapes: B canvases, L length, K positions of a span, V vocabulary, D width.</remarks>
internal sealed class DecodingCanvas : IDisposable
{
    private readonly TransformerModel _model;
    private readonly Action<Tensor>? _seen;
    private readonly Tensor? _attend_BL;
    private readonly Dictionary<(int Canvases, int Length, int Begin, int End), Tensor> _rows = [];

    /// <param name="prompt_BP">int64</param>
    /// <param name="attend_BP">1 where the prompt is no padding; null = nowhere</param>
    /// <param name="seen">told of the ids of every forward; they belong to the canvas</param>
    public DecodingCanvas(TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, int length, Action<Tensor>? seen)
    {
        using var scope = NewDisposeScope();
        (_model, _seen) = (model, seen);
        var (b, p) = (prompt_BP.shape[0], prompt_BP.shape[1]);
        if (p + length > model.Spec.MaxLength) throw new ModelException($"a prompt of {p} tokens and a completion of {length} are longer than the model's {model.Spec.MaxLength}");
        (Canvases, PromptLength) = ((int)b, (int)p);
        Ids_BL = cat([prompt_BP.to(model.Device), zeros([b, length], ScalarType.Int64, model.Device).Plus((long)model.Spec.MaskToken)], 1).DetachFromDisposeScope();
        _attend_BL = attend_BP is null ? null : cat([attend_BP.to(model.Device).to_type(ScalarType.Int64), ones([b, length], ScalarType.Int64, model.Device)], 1).DetachFromDisposeScope();
    }

    public Tensor Ids_BL { get; }

    public int Canvases { get; }

    public int PromptLength { get; }

    public int Length => (int)Ids_BL.shape[1];

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

    /// <summary>[2 B, K, D]: with the prompt, and below it with the prompt masked, of one forward.</summary>
    public Tensor HiddenWithAndWithoutPrompt(int begin, int end)
    {
        var masked_BP = zeros_like(Span(0, PromptLength)).Plus((long)_model.Spec.MaskToken);
        // Padding stays what it is.
        if (_attend_BL is not null) masked_BP = where(_attend_BL.narrow(1, 0, PromptLength).to_type(ScalarType.Bool), masked_BP, Span(0, PromptLength));
        var both_BL = cat([Ids_BL, cat([masked_BP, Span(PromptLength, Length)], 1)], 0);
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

    /// <summary>[B, K, D] of a block whose surroundings are cached.</summary>
    public Tensor Hidden(DecodingCache kind, KeyValueCache cache, int begin, int end) =>
        kind == DecodingCache.Prefix ? Hidden(begin, Length, begin, end, cache, store: false) : Hidden(begin, end, begin, end, cache, store: true);

    /// <summary>[B, K, V] of hidden states, without the mask token, which is never sampled.</summary>
    public Tensor Logits(Tensor hidden_BKD) => OutputDistribution.Logits(_model, hidden_BKD.reshape(-1, _model.Spec.Width)).view(hidden_BKD.shape[0], hidden_BKD.shape[1], -1);

    /// <summary>[B] the same number for every canvas.</summary>
    public Tensor Quota(int positions) => HostTensor.Of([.. Enumerable.Repeat((long)positions, Canvases)]).to(_model.Device);

    /// <summary>[B, K] bool: the token of a position of the completion is another one.</summary>
    public Tensor Differs(int begin, Tensor tokens_BK)
    {
        var different_BK = Ids_BL.narrow(1, begin, tokens_BK.shape[1]).ne(tokens_BK);
        // A block may hold the end of the prompt, which is nobody's to change.
        if (begin < PromptLength) different_BK.narrow(1, 0, Math.Min(PromptLength - begin, tokens_BK.shape[1])).zero_();
        return different_BK;
    }

    /// <summary>Writes tokens where they are chosen.</summary>
    public void Reveal(int begin, Tensor tokens_BK, Tensor chosen_BK)
    {
        var span_BK = Ids_BL.narrow(1, begin, chosen_BK.shape[1]);
        span_BK.copy_(where(chosen_BK, tokens_BK, span_BK));
    }

    public void Dispose()
    {
        Ids_BL.Dispose();
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
