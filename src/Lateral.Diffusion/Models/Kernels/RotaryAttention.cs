using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models.Kernels;

/// <summary>Sizes and constants of one attention call.</summary>
/// <param name="Cos_LK">Contiguous, both halves of a row equal; as <paramref name="Sin_LK"/>.</param>
/// <param name="KeyBias_BL">Added to the scores of keys; null for none.</param>
internal sealed record AttentionShape(int Batch, int Length, int Heads, int HeadWidth, float Scale, Tensor Cos_LK, Tensor Sin_LK, Tensor? KeyBias_BL)
{
    /// <summary>Whether a query sees only the keys before it and its own.</summary>
    public bool Causal { get; init; }

    /// <summary>Keys rounded up to pairs of vectors.</summary>
    public int PaddedLength => (Length + (2 * Kernel.Lanes) - 1) / (2 * Kernel.Lanes) * 2 * Kernel.Lanes;
}

/// <summary>
/// softmax(rotate(q) rotate(k)^T * scale + bias) v for short sequences, where libtorch's general kernels spend their time on set-up and
/// copies: per row and head everything stays in the first cache. Backward, with P the probabilities and G the incoming gradient:
/// dV = P^T G; dP = G V^T; dS = P (dP - rowsum(P dP)) scale; dQ = unrotate(dS K); dK = unrotate(dS^T Q).
/// </summary>
internal sealed unsafe class RotaryAttention : autograd.SingleTensorFunction<RotaryAttention>
{
    /// <summary>Beyond this length libtorch's blocked kernel is faster, and the probabilities that are kept for backward grow quadratically.</summary>
    public const int LongestLength = 64;

    public override string Name => nameof(RotaryAttention);

    /// <summary>Whether the vectors come out even: half a head must be whole vectors.</summary>
    public static bool Fits(int length, int headWidth) => length <= LongestLength && headWidth % (2 * Kernel.Lanes) == 0;

    /// <summary>q, k, v of shape [R, D] with R = B * L and D = H * K, contiguous; the result has that shape too.</summary>
    public static Tensor Of(Tensor q_RD, Tensor k_RD, Tensor v_RD, AttentionShape shape) =>
        Kernel.Records(q_RD, k_RD, v_RD) ? apply(q_RD, k_RD, v_RD, shape) : Forward(q_RD, k_RD, v_RD, shape, null, null, null);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (q_RD, k_RD, v_RD, shape) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2], (AttentionShape)vars[3]);
        Tensor turnedQ = empty_like(q_RD), turnedK = empty_like(k_RD), probabilities = empty(shape.Batch, shape.Heads, shape.Length, shape.PaddedLength);
        ctx.save_for_backward([turnedQ, turnedK, v_RD, probabilities]);
        ctx.save_data("shape", shape);
        return Forward(q_RD, k_RD, v_RD, shape, turnedQ, turnedK, probabilities);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var saved = ctx.get_saved_variables();
        var shape = (AttentionShape)ctx.get_data("shape");
        Tensor gradQ = empty_like(saved[2]), gradK = empty_like(saved[2]), gradV = empty_like(saved[2]), incoming = grad_output.contiguous();
        float* q = Kernel.Address(saved[0]), k = Kernel.Address(saved[1]), v = Kernel.Address(saved[2]), p = Kernel.Address(saved[3]), g = Kernel.Address(incoming);
        float* dq = Kernel.Address(gradQ), dk = Kernel.Address(gradK), dv = Kernel.Address(gradV), cos = Kernel.Address(shape.Cos_LK), sin = Kernel.Address(shape.Sin_LK);
        var (length, heads, head, padded, width) = (shape.Length, shape.Heads, shape.HeadWidth, shape.PaddedLength, shape.Heads * shape.HeadWidth);
        Kernel.ForEachChunk(shape.Batch, 16, (begin, end) =>
        {
            var scratch = stackalloc float[(head + length) * padded];
            float* transposed = scratch, dScores = scratch + (head * padded);
            for (var item = begin * heads; item < end * heads; item++)
            {
                var (stream, own) = (((item / heads) * length * width) + (item % heads * head), item * length * head);
                var probabilities = p + (item * length * padded);
                Kernel.Multiply(probabilities, 1, padded, g + stream, width, dv + stream, width, length, head, length);
                Transpose(v + stream, width, transposed, length, head, padded);
                Kernel.Multiply(g + stream, width, 1, transposed, padded, dScores, padded, length, padded, head);
                for (var i = 0; i < length; i++) SoftmaxBackward(probabilities + (i * padded), dScores + (i * padded), padded, shape.Scale);
                Kernel.Multiply(dScores, padded, 1, k + own, head, dq + stream, width, length, head, length);
                Kernel.Multiply(dScores, 1, padded, q + own, head, dk + stream, width, length, head, length);
                for (var i = 0; i < length; i++)
                {
                    Turn(dq + stream + (i * width), dq + stream + (i * width), cos + (i * head), sin + (i * head), head, -1);
                    Turn(dk + stream + (i * width), dk + stream + (i * width), cos + (i * head), sin + (i * head), head, -1);
                }
            }
        });
        return [gradQ, gradK, gradV, null!];
    }

    // The three optional tensors keep what backward needs: turned q and k per head [B, H, L, K], probabilities [B, H, L, padded L].
    private static Tensor Forward(Tensor q_RD, Tensor k_RD, Tensor v_RD, AttentionShape shape, Tensor? turnedQ, Tensor? turnedK, Tensor? probabilities)
    {
        var out_RD = empty_like(q_RD);
        float* q = Kernel.Address(q_RD), k = Kernel.Address(k_RD), v = Kernel.Address(v_RD), o = Kernel.Address(out_RD);
        float* cos = Kernel.Address(shape.Cos_LK), sin = Kernel.Address(shape.Sin_LK), bias = shape.KeyBias_BL is { } b ? Kernel.Address(b) : null;
        float* keptQ = turnedQ is null ? null : Kernel.Address(turnedQ), keptK = turnedK is null ? null : Kernel.Address(turnedK), keptP = probabilities is null ? null : Kernel.Address(probabilities);
        var (length, heads, head, padded, width) = (shape.Length, shape.Heads, shape.HeadWidth, shape.PaddedLength, shape.Heads * shape.HeadWidth);
        Kernel.ForEachChunk(shape.Batch, 16, (begin, end) =>
        {
            var scratch = stackalloc float[(2 * length * head) + (head * padded) + (length * padded)];
            float* transposed = scratch + (2 * length * head), scratchP = transposed + (head * padded);
            for (var item = begin * heads; item < end * heads; item++)
            {
                var (stream, own) = (((item / heads) * length * width) + (item % heads * head), item * length * head);
                float* ownQ = keptQ is null ? scratch : keptQ + own, ownK = keptK is null ? scratch + (length * head) : keptK + own;
                var scores = keptP is null ? scratchP : keptP + (item * length * padded);
                for (var i = 0; i < length; i++)
                {
                    Turn(q + stream + (i * width), ownQ + (i * head), cos + (i * head), sin + (i * head), head, 1);
                    Turn(k + stream + (i * width), ownK + (i * head), cos + (i * head), sin + (i * head), head, 1);
                }

                Transpose(ownK, head, transposed, length, head, padded);
                Kernel.Multiply(ownQ, head, 1, transposed, padded, scores, padded, length, padded, head);
                for (var i = 0; i < length; i++) Softmax(scores + (i * padded), bias is null ? null : bias + (item / heads * length), shape.Causal ? i + 1 : length, padded, shape.Scale);
                Kernel.Multiply(scores, padded, 1, v + stream, width, o + stream, width, length, head, length);
            }
        });
        return out_RD;
    }

    // (x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin) for the halves of a head; direction -1 turns back. Source and target may be one.
    private static void Turn(float* x, float* y, float* cos, float* sin, int head, float direction)
    {
        var half = head / 2;
        for (var i = 0; i < half; i += Kernel.Lanes)
        {
            Vector256<float> first = Vector256.Load(x + i), second = Vector256.Load(x + half + i), c = Vector256.Load(cos + i), s = Vector256.Load(sin + i) * direction;
            ((first * c) - (second * s)).Store(y + i);
            ((second * c) + (first * s)).Store(y + half + i);
        }
    }

    // [L, K] with row stride to [K, padded L]; columns beyond L are zero.
    private static void Transpose(float* x, int row, float* y, int length, int head, int padded)
    {
        for (var j = 0; j < head; j++)
        {
            for (var i = 0; i < length; i++) y[(j * padded) + i] = x[(i * row) + j];
            for (var i = length; i < padded; i++) y[(j * padded) + i] = 0;
        }
    }

    /// <param name="length">keys that are seen</param>
    private static void Softmax(float* scores, float* bias, int length, int padded, float scale)
    {
        for (var j = length; j < padded; j++) scores[j] = float.NegativeInfinity;
        var highest = Vector256.Create(float.NegativeInfinity);
        for (var j = 0; j < padded; j += Kernel.Lanes)
        {
            var score = Vector256.Load(scores + j) * scale;
            if (bias is not null) score += LoadPart(bias + j, length - j);
            score.Store(scores + j);
            highest = Vector256.Max(highest, score);
        }

        var top = float.NegativeInfinity;
        for (var lane = 0; lane < Kernel.Lanes; lane++) top = MathF.Max(top, highest[lane]);
        Vector256<float> sum = default;
        for (var j = 0; j < padded; j += Kernel.Lanes)
        {
            var exponential = Vector256.Exp(Vector256.Load(scores + j) - Vector256.Create(top));
            exponential.Store(scores + j);
            sum += exponential;
        }

        var inverse = 1 / Vector256.Sum(sum);
        for (var j = 0; j < padded; j += Kernel.Lanes) (Vector256.Load(scores + j) * inverse).Store(scores + j);
    }

    private static void SoftmaxBackward(float* probabilities, float* gradient, int padded, float scale)
    {
        Vector256<float> products = default;
        for (var j = 0; j < padded; j += Kernel.Lanes) products = Vector256.FusedMultiplyAdd(Vector256.Load(probabilities + j), Vector256.Load(gradient + j), products);
        var sum = Vector256.Create(Vector256.Sum(products));
        for (var j = 0; j < padded; j += Kernel.Lanes) (Vector256.Load(probabilities + j) * (Vector256.Load(gradient + j) - sum) * scale).Store(gradient + j);
    }

    // The bias has no padding: what lies behind its last key belongs to the next row, or to nobody.
    private static Vector256<float> LoadPart(float* values, int count)
    {
        if (count >= Kernel.Lanes) return Vector256.Load(values);
        if (count <= 0) return default;
        Span<float> part = stackalloc float[Kernel.Lanes];
        part.Clear();
        new ReadOnlySpan<float>(values, count).CopyTo(part);
        return Vector256.Create<float>(part);
    }
}
