using Lateral.Core;
using Lateral.Diffusion.Models.Kernels;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>The fused CPU kernels against the same formula written with libtorch's operations in float64, values and gradients.</summary>
public class KernelTests
{
    private const double Tolerance = 2e-6;

    [Theory]
    [InlineData(1, 8)]
    [InlineData(7, 64)]
    [InlineData(1300, 24)]
    public void RmsNorm_must_equal_its_formula(int rows, int width)
    {
        using var scope = NewDisposeScope();
        var (x, w, g) = (Random("x", rows, width), Random("w", width), Random("g", rows, width));
        Compare([x, w], g, inputs => RmsNorm.Of(inputs[0], inputs[1], 1e-5f),
            inputs => inputs[0] * (inputs[0].pow(2).mean([-1], keepdim: true) + 1e-5).rsqrt() * inputs[1]);
    }

    [Theory]
    [InlineData(3, 8)]
    [InlineData(600, 128)]
    public void SwiGlu_must_equal_its_formula(int rows, int width)
    {
        using var scope = NewDisposeScope();
        var (a, b, g) = (Random("a", rows, width).mul(4), Random("b", rows, width), Random("g", rows, width));
        Compare([a, b], g, inputs => SwiGlu.Of(inputs[0], inputs[1]), inputs => inputs[0] * inputs[0].sigmoid() * inputs[1]);
    }

    [Theory]
    [InlineData(1, 1, 1, 16, false, false)]
    [InlineData(2, 10, 4, 16, false, false)]
    [InlineData(3, 7, 2, 32, true, false)]
    [InlineData(2, 16, 2, 48, true, false)]
    [InlineData(20, 13, 1, 16, true, false)]
    [InlineData(1, 64, 2, 128, false, false)]
    [InlineData(2, 10, 4, 16, false, true)]
    [InlineData(20, 13, 1, 16, false, true)]
    public void RotaryAttention_must_equal_its_formula(int batch, int length, int heads, int head, bool padded, bool causal)
    {
        using var scope = NewDisposeScope();
        var width = heads * head;
        var angles = Random("angles", length, head / 2);
        angles = cat([angles, angles], 1);
        var bias = padded ? zeros(batch, length) : null;
        bias?.narrow(0, 0, 1).narrow(1, 0, 3).fill_(float.MinValue);
        bias?.narrow(1, length - 1, 1).fill_(float.MinValue);
        var shape = new AttentionShape(batch, length, heads, head, 0.3f, angles.cos(), angles.sin(), bias) { Causal = causal };

        Tensor Reference(Tensor[] inputs)
        {
            var (cos, sin) = (shape.Cos_LK.to_type(ScalarType.Float64), shape.Sin_LK.to_type(ScalarType.Float64));
            Tensor Split(Tensor x) => x.view(batch, length, heads, head).transpose(1, 2);
            Tensor Turn(Tensor x) => (x * cos) + (cat([-x.narrow(-1, head / 2, head / 2), x.narrow(-1, 0, head / 2)], -1) * sin);
            var scores = Turn(Split(inputs[0])).matmul(Turn(Split(inputs[1])).transpose(-1, -2)) * 0.3;
            if (causal) scores += full(length, length, double.NegativeInfinity, ScalarType.Float64).triu(1);
            if (bias is not null) scores += bias.to_type(ScalarType.Float64).view(batch, 1, 1, length);
            return scores.softmax(-1).matmul(Split(inputs[2])).transpose(1, 2).reshape(batch * length, width);
        }

        var rows = batch * length;
        Compare([Random("q", rows, width), Random("k", rows, width), Random("v", rows, width)], Random("g", rows, width), inputs => RotaryAttention.Of(inputs[0], inputs[1], inputs[2], shape), Reference);
    }

    [Fact]
    public void Kernels_must_give_the_same_values_without_autograd()
    {
        using var scope = NewDisposeScope();
        var angles = Random("angles", 5, 16);
        var shape = new AttentionShape(4, 5, 1, 16, 0.25f, angles.cos(), angles.sin(), null);
        Tensor x = Random("x", 20, 16).requires_grad_(), w = ones(16);
        Tensor Chain() => SwiGlu.Of(RotaryAttention.Of(RmsNorm.Of(x, w, 1e-5f), x, x, shape), x);
        var recorded = Chain();
        Assert.True(recorded.requires_grad);
        using var quiet = no_grad();
        Assert.False(Chain().requires_grad);
        Assert.Equal(recorded.data<float>().ToArray(), Chain().data<float>().ToArray());
    }

    private static void Compare(Tensor[] inputs, Tensor incoming, Func<Tensor[], Tensor> kernel, Func<Tensor[], Tensor> formula)
    {
        var ours = inputs.Select(input => input.clone().requires_grad_()).ToArray();
        var exact = inputs.Select(input => input.to_type(ScalarType.Float64).requires_grad_()).ToArray();
        var (y, expected) = (kernel(ours), formula(exact));
        Assert.InRange(Relative(expected, y), 0, Tolerance);
        y.backward([incoming]);
        expected.backward([incoming.to_type(ScalarType.Float64)]);
        for (var i = 0; i < inputs.Length; i++) Assert.InRange(Relative(exact[i].grad!, ours[i].grad!), 0, Tolerance);
    }

    private static double Relative(Tensor expected, Tensor actual) =>
        LladaFixture.LargestDifference(expected, actual) / Math.Max(1, expected.abs().max().item<double>());

    internal static Tensor Random(string name, params long[] shape)
    {
        var (random, stream) = (new CounterRandom(11), name.Sum(letter => letter));
        var count = (int)shape.Aggregate(1L, (product, size) => product * size);
        return HostTensor.Of(Enumerable.Range(0, count).Select(i => (float)random.Normal(RandomStream.Noise, i, stream)).ToArray(), shape);
    }
}
