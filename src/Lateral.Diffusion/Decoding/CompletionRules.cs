using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>A family's decoder, set as shared settings say.</summary>
/// <param name="Together">whether prompts of unlike length can be completed at once, padded on the left</param>
internal sealed record CompletionDecoder(bool Together, Func<TransformerModel, Tensor, Tensor?, Action<Tensor>, Tensor> Decode);

/// <summary>Which decoders complete models of a kind, by the names of what a step reveals.</summary>
internal static class CompletionRules
{
    private static readonly string[]
        Full = ["low-confidence", "random", "threshold", "factor", "by-run", "entropy-bound", "revise", "remask", "pipelined"],
        Shifted = ["entropy", "maskgit-plus", "topk-margin", "origin", "threshold"],
        Blockwise = ["dynamic", "static", "sequential"];

    /// <summary>Names of what a step may reveal, the family's own first.</summary>
    /// <exception cref="DecodingException">models of this kind are completed by no decoder here</exception>
    public static IReadOnlyList<string> Of(TransformerSpec spec) =>
        spec.Causal ? throw new DecodingException($"a {spec.Family} model is completed by the sampler of the run that trained it: export that run, and sample the export")
        : spec.AttentionBlock is not null ? Blockwise : spec.Shifted ? Shifted : Full;

    /// <param name="stop">ends a completion for decoders that can stop early; null = nothing does</param>
    /// <exception cref="DecodingException">the family has no such rule; names those it has</exception>
    public static CompletionDecoder Decoder(TransformerSpec spec, CompletionSettings settings, int? stop)
    {
        var rules = Of(spec);
        var rule = settings.Rule ?? rules[0];
        if (!rules.Contains(rule, StringComparer.Ordinal)) throw new DecodingException($"a {spec.Family} model has no rule {rule}; it has {string.Join(", ", rules)}");
        var block = settings.BlockLength ?? (settings.GenLength % 32 == 0 ? 32 : settings.GenLength);
        // What is cached is never padding, and blocks are counted from the begin.
        var together = settings.Cache is NoCache;
        if (spec.AttentionBlock is { } trained) return new(false, (model, prompt, _, seen) => BlockDiffusionDecoder.Decode(model, prompt, OfBlocks(settings, rule, trained, stop), seen));
        if (spec.Shifted) return new(together, (model, prompt, attend, seen) => DreamDecoder.Decode(model, prompt, attend, OfDream(settings, rule), seen));
        return rule switch
        {
            "revise" => new(false, (model, prompt, _, seen) => RevisingDecoder.Decode(model, prompt, new(settings.GenLength, block, settings.Threshold ?? .6, .9) { Temperature = settings.Temperature, Seed = settings.Seed }, seen)),
            "remask" => new(true, (model, prompt, attend, seen) => RemaskingDecoder.Decode(model, prompt, attend, new(settings.GenLength, settings.Steps ?? settings.GenLength, new CappedRemasking()) { Temperature = settings.Temperature, Seed = settings.Seed }, seen)),
            "pipelined" => new(false, (model, prompt, _, seen) => PipelinedDecoder.Decode(model, prompt, new(settings.GenLength, block) { Temperature = settings.Temperature, Seed = settings.Seed, Threshold = settings.Threshold ?? .9, StopToken = stop }, seen)),
            _ => new(together, (model, prompt, attend, seen) => SemiAutoregressiveDecoder.Decode(model, prompt, attend, OfLlada(settings, rule, block), seen)),
        };
    }

    private static SemiAutoregressiveSettings OfLlada(CompletionSettings settings, string rule, int block) => new(settings.GenLength, block, settings.Steps ?? settings.GenLength)
    {
        Temperature = settings.Temperature,
        Seed = settings.Seed,
        Cache = settings.Cache,
        Random = rule == "random",
        Rule = rule switch
        {
            "threshold" => new ConfidenceThreshold(settings.Threshold ?? .9),
            "factor" => new ConfidenceFactor(settings.Threshold ?? 1),
            "by-run" => new ConfidenceByRun(settings.Threshold ?? .9, .4),
            "entropy-bound" => new EntropyBound(settings.Threshold ?? .1),
            _ => DecodingRule.Share,
        },
    };

    private static DreamSettings OfDream(CompletionSettings settings, string rule) => new(settings.GenLength, settings.Steps ?? settings.GenLength, rule switch
    {
        "maskgit-plus" => DreamAlgorithm.MaskgitPlus,
        "topk-margin" => DreamAlgorithm.TopkMargin,
        "origin" => DreamAlgorithm.Origin,
        "threshold" => DreamAlgorithm.Threshold,
        _ => DreamAlgorithm.Entropy,
    })
    {
        Temperature = settings.Temperature,
        Seed = settings.Seed,
        Cache = settings.Cache,
        Threshold = settings.Threshold ?? .9,
        BlockLength = settings.Cache is NoCache ? null : settings.BlockLength ?? (settings.GenLength % 32 == 0 ? 32 : null),
    };

    /// <summary>Complete blocks are cached, which is exact, whatever the settings say of caches.</summary>
    private static BlockDiffusionSettings OfBlocks(CompletionSettings settings, string rule, int block, int? stop) => new(settings.GenLength, settings.BlockLength ?? block, settings.Steps ?? settings.BlockLength ?? block, rule switch
    {
        "static" => BlockRemasking.LowConfidenceStatic,
        "sequential" => BlockRemasking.Sequential,
        _ => BlockRemasking.LowConfidenceDynamic,
    })
    {
        Temperature = settings.Temperature,
        Seed = settings.Seed,
        Threshold = settings.Threshold ?? .85,
        StopToken = stop,
    };
}
