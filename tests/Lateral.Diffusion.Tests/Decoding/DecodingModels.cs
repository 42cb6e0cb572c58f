using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Random models of 12 tokens whose distributions are far from uniform, and what decoders do with them.</summary>
internal static class DecodingModels
{
    public const int Mask = 11;

    /// <param name="change">what is another family's</param>
    public static TransformerModel Fresh(ulong seed = 1, Func<TransformerSpec, TransformerSpec>? change = null)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var spec = new TransformerSpec(16, 2, 2, 32, Mask + 1, 2048, 1e-5, 10_000, Mask, null, null);
        var model = ModelStore.Fresh(change?.Invoke(spec) ?? spec, seed, trainable: false);
        model.Parameters[TinyPolicy.Head].mul_(3f);
        return model;
    }

    /// <summary>[1, L] or, of several rows, [B, L].</summary>
    public static Tensor Ids(params long[][] rows) => rows.ToTensor();

    public static long[][] Rows(Tensor ids_BL)
    {
        using var scope = NewDisposeScope();
        return [.. ids_BL.contiguous().data<long>().ToArray().Chunk((int)ids_BL.shape[1])];
    }

    /// <summary>A decoding's result, and the ids that every forward saw.</summary>
    public static (long[][] Output, List<long[][]> Seen) Run(Func<Action<Tensor>, Tensor> decode)
    {
        using var scope = NewDisposeScope();
        var seen = new List<long[][]>();
        var output_BL = decode(ids => seen.Add(Rows(ids)));
        return (Rows(output_BL), seen);
    }

    public static void Same(List<long[][]> expected, List<long[][]> found)
    {
        Assert.Equal(expected.Count, found.Count);
        for (var call = 0; call < expected.Count; call++) Assert.Equal(expected[call], found[call]);
    }

    /// <summary>The largest probability and its token.</summary>
    public static (long Token, double Probability) Best(float[] logits)
    {
        var token = Array.IndexOf(logits, logits.Max());
        return (token, 1 / logits.Sum(logit => Math.Exp((double)logit - logits[token])));
    }
}

/// <summary>Draws as always, and remembers what they were asked and what they answered.</summary>
internal sealed class RecordingDraws(ulong seed = 0) : DecodingDraws(seed)
{
    /// <summary>By call, of every position that was scored, canvas by canvas: its logits.</summary>
    public List<float[][]> Logits { get; } = [];

    public List<long[]> Drawn { get; } = [];

    public List<float[]> Uniforms { get; } = [];

    public override Tensor Tokens(Tensor logits_BKV, double temperature, int call, int begin)
    {
        var tokens_BK = base.Tokens(logits_BKV, temperature, call, begin);
        Logits.Add([.. logits_BKV.contiguous().data<float>().ToArray().Chunk((int)logits_BKV.shape[2])]);
        Drawn.Add(tokens_BK.contiguous().data<long>().ToArray());
        return tokens_BK;
    }

    public override Tensor Confidences(long canvases, long positions, int call, int begin)
    {
        var uniform_BK = base.Confidences(canvases, positions, call, begin);
        Uniforms.Add(uniform_BK.contiguous().data<float>().ToArray());
        return uniform_BK;
    }
}
