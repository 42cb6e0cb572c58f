using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models.Kernels;

/// <summary>
/// y = silu(a) * b (Shazeer 2020), one pass forward and one backward. With s = 1/(1 + exp(-a)): da = g b s (1 + a (1 - s)), db = g a s.
/// </summary>
internal sealed unsafe class SwiGlu : autograd.SingleTensorFunction<SwiGlu>
{
    private const int Chunk = 1 << 15;

    public override string Name => nameof(SwiGlu);

    /// <param name="gate_RF">a, contiguous; its element count is a multiple of 8.</param>
    /// <param name="up_RF">b, contiguous.</param>
    public static Tensor Of(Tensor gate_RF, Tensor up_RF) => Kernel.Records(gate_RF, up_RF) ? apply(gate_RF, up_RF) : Forward(gate_RF, up_RF);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.save_for_backward([(Tensor)vars[0], (Tensor)vars[1]]);
        return Forward((Tensor)vars[0], (Tensor)vars[1]);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var saved = ctx.get_saved_variables();
        Tensor gradGate = empty_like(saved[0]), gradUp = empty_like(saved[1]), incoming = grad_output.contiguous();
        float* a = Kernel.Address(saved[0]), b = Kernel.Address(saved[1]), g = Kernel.Address(incoming), da = Kernel.Address(gradGate), db = Kernel.Address(gradUp);
        Kernel.ForEachChunk((int)saved[0].numel(), Chunk, (begin, end) =>
        {
            for (var i = begin; i < end; i += Kernel.Lanes)
            {
                Vector256<float> gate = Vector256.Load(a + i), s = Sigmoid(gate), share = Vector256.Load(g + i) * s;
                (share * gate).Store(db + i);
                (share * Vector256.Load(b + i) * (Vector256<float>.One + (gate * (Vector256<float>.One - s)))).Store(da + i);
            }
        });
        return [gradGate, gradUp];
    }

    private static Tensor Forward(Tensor gate_RF, Tensor up_RF)
    {
        var y_RF = empty_like(gate_RF);
        float* a = Kernel.Address(gate_RF), b = Kernel.Address(up_RF), y = Kernel.Address(y_RF);
        Kernel.ForEachChunk((int)gate_RF.numel(), Chunk, (begin, end) =>
        {
            for (var i = begin; i < end; i += Kernel.Lanes)
            {
                var gate = Vector256.Load(a + i);
                (gate * Sigmoid(gate) * Vector256.Load(b + i)).Store(y + i);
            }
        });
        return y_RF;
    }

    private static Vector256<float> Sigmoid(Vector256<float> a) => Vector256<float>.One / (Vector256<float>.One + Vector256.Exp(-a));
}
