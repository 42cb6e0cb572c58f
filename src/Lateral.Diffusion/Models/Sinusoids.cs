using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>A number as the cosines and sines of many wavelengths, so that a linear map can tell it roughly and exactly (as in DiT, Peebles and Xie, arXiv 2212.09748). B numbers, E features.</summary>
internal static class Sinusoids
{
    /// <summary>E</summary>
    public const int Features = 256;

    private const double LongestWave = 10_000;

    /// <summary>[1, E / 2] of wavelengths from 2 pi to 2 pi * 10,000 parts of the number.</summary>
    /// <param name="parts">of a unit</param>
    public static Tensor Frequencies(double parts, Device device)
    {
        const int half = Features / 2;
        return HostTensor.Of([.. Enumerable.Range(0, half).Select(i => (float)(parts * Math.Pow(LongestWave, -i / (double)half)))], 1, half).to(device);
    }

    /// <summary>[B, E]</summary>
    public static Tensor Of(Tensor number_B, Tensor frequencies_1H)
    {
        var angle_BH = number_B.to_type(ScalarType.Float32).unsqueeze(1).Times(frequencies_1H);
        return cat([angle_BH.cos(), angle_BH.sin()], 1);
    }
}
