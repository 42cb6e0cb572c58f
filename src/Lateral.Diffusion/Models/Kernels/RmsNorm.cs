using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models.Kernels;

/// <summary>
/// y = x / sqrt(mean(x²) + eps) * w over the last dimension (Zhang and Sennrich 2019), forward and backward in one pass over the rows each.
/// With r = 1/sqrt(mean(x²) + eps): dx = r (g w - x r mean(g w x r)), dw = sum over rows of g x r.
/// </summary>
internal sealed unsafe class RmsNorm : autograd.SingleTensorFunction<RmsNorm>
{
    // Rows per partial sum of dw: fixed, so that its rounding does not depend on the number of threads.
    private const int Chunk = 512;

    public override string Name => nameof(RmsNorm);

    /// <param name="x_RD">Contiguous; D is a multiple of 8.</param>
    public static Tensor Of(Tensor x_RD, Tensor weight_D, float epsilon) =>
        Kernel.Records(x_RD, weight_D) ? apply(x_RD, weight_D, epsilon) : Forward(x_RD, weight_D, epsilon, null);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x_RD, weight_D) = ((Tensor)vars[0], (Tensor)vars[1]);
        var inverse_R = empty(x_RD.shape[0]);
        ctx.save_for_backward([x_RD, weight_D, inverse_R]);
        return Forward(x_RD, weight_D, (float)vars[2], inverse_R);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var saved = ctx.get_saved_variables();
        var (rows, width) = ((int)saved[0].shape[0], (int)saved[0].shape[1]);
        var chunks = (rows + Chunk - 1) / Chunk;
        Tensor gradX_RD = empty_like(saved[0]), partial_CD = zeros(chunks, width), incoming = grad_output.contiguous();
        float* x = Kernel.Address(saved[0]), w = Kernel.Address(saved[1]), r = Kernel.Address(saved[2]);
        float* g = Kernel.Address(incoming), dx = Kernel.Address(gradX_RD), dw = Kernel.Address(partial_CD);
        Kernel.ForEachChunk(rows, Chunk, (begin, end) =>
        {
            for (var row = begin; row < end; row++) BackwardRow(x + (row * width), w, r[row], g + (row * width), dx + (row * width), dw + (begin / Chunk * width), width);
        });
        return [gradX_RD, partial_CD.sum(dim: 0L), null!];
    }

    private static Tensor Forward(Tensor x_RD, Tensor weight_D, float epsilon, Tensor? inverse_R)
    {
        var (rows, width) = ((int)x_RD.shape[0], (int)x_RD.shape[1]);
        var y_RD = empty_like(x_RD);
        float* x = Kernel.Address(x_RD), w = Kernel.Address(weight_D), y = Kernel.Address(y_RD), r = inverse_R is null ? null : Kernel.Address(inverse_R);
        Kernel.ForEachChunk(rows, Chunk, (begin, end) =>
        {
            for (var row = begin; row < end; row++)
            {
                var inverse = ForwardRow(x + (row * width), w, y + (row * width), width, epsilon);
                if (r is not null) r[row] = inverse;
            }
        });
        return y_RD;
    }

    private static float ForwardRow(float* x, float* w, float* y, int width, float epsilon)
    {
        Vector256<float> squares = default;
        for (var i = 0; i < width; i += Kernel.Lanes)
        {
            var value = Vector256.Load(x + i);
            squares = Vector256.FusedMultiplyAdd(value, value, squares);
        }

        var inverse = 1 / MathF.Sqrt((Vector256.Sum(squares) / width) + epsilon);
        for (var i = 0; i < width; i += Kernel.Lanes)
            (Vector256.Load(x + i) * inverse * Vector256.Load(w + i)).Store(y + i);
        return inverse;
    }

    private static void BackwardRow(float* x, float* w, float inverse, float* g, float* dx, float* dw, int width)
    {
        Vector256<float> products = default;
        for (var i = 0; i < width; i += Kernel.Lanes)
        {
            var normed = Vector256.Load(x + i) * inverse;
            var share = Vector256.Load(g + i) * normed;
            (Vector256.Load(dw + i) + share).Store(dw + i);
            products = Vector256.FusedMultiplyAdd(share, Vector256.Load(w + i), products);
        }

        var mean = Vector256.Sum(products) / width;
        for (var i = 0; i < width; i += Kernel.Lanes)
            (((Vector256.Load(g + i) * Vector256.Load(w + i)) - (Vector256.Load(x + i) * inverse * mean)) * inverse).Store(dx + i);
    }
}
