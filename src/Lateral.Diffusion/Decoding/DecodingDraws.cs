using Lateral.Core;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>
/// The random part of decoding: pure functions of a seed and the place of a draw, so that a decoding repeats whatever else runs. Shapes: B canvases, K positions, V vocabulary.
/// </summary>
internal class DecodingDraws(ulong seed)
{
    private readonly CounterRandom _random = new(seed);

    /// <summary>[B, K] tokens: of softmax(logits / temperature), or the most probable ones at temperature 0.</summary>
    /// <param name="call">forwards before this one</param>
    /// <param name="begin">position of the first</param>
    public virtual Tensor Tokens(Tensor logits_BKV, double temperature, int call, int begin)
    {
        if (temperature == 0) return logits_BKV.argmax(-1);
        var p_BKV = logits_BKV.to_type(ScalarType.Float64).DividedBy(temperature).softmax(-1);
        return OutputDistribution.InverseCdf(p_BKV, Uniforms(logits_BKV.shape[0], logits_BKV.shape[1], call, begin, RandomStream.Token).to(logits_BKV.device).unsqueeze(-1)).squeeze(-1);
    }

    /// <summary>[B, K] float32 uniform numbers for positions that are chosen at random.</summary>
    public virtual Tensor Confidences(long canvases, long positions, int call, int begin) => Uniforms(canvases, positions, call, begin, RandomStream.Selection).to_type(ScalarType.Float32);

    private Tensor Uniforms(long canvases, long positions, int call, int begin, RandomStream stream)
    {
        var values = new double[canvases * positions];
        for (var i = 0; i < values.Length; i++) values[i] = _random.Uniform(stream, i / positions, step: call, position: begin + (int)(i % positions));
        return HostTensor.Of(values, canvases, positions);
    }
}
