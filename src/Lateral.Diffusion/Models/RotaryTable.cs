using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>
/// Cosines and sines of rotary positions 0..L-1 (Su et al. 2021, the rotate-half form), kept per length. They are float32 and computed
/// by the same float32 steps as the released models': at position 4,000 one rounding of a frequency already turns an angle by 2e-4.
/// </summary>
internal sealed class RotaryTable(TransformerSpec spec, Device device) : IDisposable
{
    private readonly Dictionary<long, (Tensor Cos, Tensor Sin)> tables = [];

    /// <summary>Cosine and sine of shape [L, 1, rotary width]; both halves of the last dimension are equal.</summary>
    public (Tensor Cos_L1K, Tensor Sin_L1K) For(long length)
    {
        if (tables.TryGetValue(length, out var table)) return table;
        if (length > spec.MaxLength) throw new ModelException($"a canvas of {length} tokens is longer than the model's {spec.MaxLength}");
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var half = spec.RotaryWidth / 2;
        var exponents = HostTensor.Of(Enumerable.Range(0, half).Select(i => 2f * i / spec.RotaryWidth).ToArray());
        var frequencies = ones(half).DividedBy(HostTensor.Of(Enumerable.Repeat((float)spec.RopeTheta, half).ToArray()).pow(exponents));
        var positions = HostTensor.Of(Enumerable.Range(0, (int)length).Select(i => (float)i).ToArray(), length, 1);
        var angles_LK = positions.Times(frequencies);
        var angles = cat([angles_LK, angles_LK], -1).unsqueeze(1);
        table = (angles.cos().to(device).DetachFromDisposeScope(), angles.sin().to(device).DetachFromDisposeScope());
        tables.Add(length, table);
        return table;
    }

    public void Dispose()
    {
        foreach (var (cos, sin) in tables.Values)
        {
            cos.Dispose();
            sin.Dispose();
        }

        tables.Clear();
    }
}
