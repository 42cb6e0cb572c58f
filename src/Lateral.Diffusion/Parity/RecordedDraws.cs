using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>The random numbers that a reference drew, so that its trajectory can be followed. B canvases, K positions, G of a completion, V vocabulary.</summary>
internal sealed class RecordedDraws : DecodingDraws
{
    private Func<Tensor, double, int, int, Tensor>? _tokens;
    private Func<long, long, int, int, Tensor>? _confidences;

    private RecordedDraws()
        : base(0)
    {
    }

    /// <summary>LLaDA's: Gumbel noise [B, G, V] per call, confidences [B, L] per call.</summary>
    /// <param name="prompt">tokens before the completion</param>
    public static RecordedDraws Llada(SafetensorsFile file, int prompt) => new()
    {
        _tokens = (logits_BKV, temperature, call, begin) =>
        {
            if (temperature == 0) return logits_BKV.argmax(-1);
            var u_BKV = file.Read($"gumbel_uniform.{call}").narrow(1, begin - prompt, logits_BKV.shape[1]);
            // log of exp(l) / (-ln u)^T, whose largest is the same.
            return logits_BKV.to_type(ScalarType.Float64).Minus(u_BKV.log().neg().log().Times(temperature)).argmax(-1);
        },
        _confidences = (_, positions, call, begin) => file.Read($"confidence_uniform.{call}").narrow(1, begin, positions),
    };

    /// <summary>Dream's: of each call one number for each masked position, canvas by canvas.</summary>
    public static RecordedDraws Dream(JsonElement perStep, JsonElement inputs, int mask) => new()
    {
        _confidences = (canvases, positions, call, begin) =>
        {
            var (values, next) = (new float[canvases * positions], 0);
            foreach (var (at, id) in inputs[call].Rows().SelectMany(row => row.Skip(begin)).Index()) values[at] = id == mask ? (float)perStep[call][next++].GetDouble() : 1;
            return HostTensor.Of(values, canvases, positions);
        },
    };

    /// <summary>SDAR's: of each denoising call one number for each position, for the inverse distribution function.</summary>
    public static RecordedDraws Sdar(JsonElement perCall) => new()
    {
        _tokens = (logits_BKV, _, call, _) => OutputDistribution.InverseCdf(logits_BKV.softmax(-1).to_type(ScalarType.Float64), HostTensor.Of(perCall[call].Numbers(), 1, logits_BKV.shape[1], 1)).squeeze(-1),
    };

    public override Tensor Tokens(Tensor logits_BKV, double temperature, int call, int begin) => _tokens?.Invoke(logits_BKV, temperature, call, begin) ?? base.Tokens(logits_BKV, temperature, call, begin);

    public override Tensor Confidences(long canvases, long positions, int call, int begin) => _confidences?.Invoke(canvases, positions, call, begin) ?? base.Confidences(canvases, positions, call, begin);
}
