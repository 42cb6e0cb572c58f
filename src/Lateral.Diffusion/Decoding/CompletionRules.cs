using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Decoding;

/// <summary>A family's decoder for settings that all families share.</summary>
internal static class CompletionRules
{
    private static readonly string[]
        Full = ["low-confidence", "random", "threshold", "factor", "by-run", "entropy-bound"],
        Shifted = ["entropy", "maskgit-plus", "topk-margin", "origin", "threshold"],
        Blockwise = ["dynamic", "static", "sequential"];

    /// <summary>Names of what a step may reveal, the family's own first.</summary>
    /// <exception cref="DecodingException">models of this kind are completed by no decoder here</exception>
    public static IReadOnlyList<string> Of(TransformerSpec spec) =>
        spec.Causal ? throw new DecodingException($"a {spec.Family} model is completed by the sampler of the run that trained it: export that run, and sample the export")
        : spec.AttentionBlock is not null ? Blockwise : spec.Shifted ? Shifted : Full;

    public static SemiAutoregressiveSettings OfFull(CompletionSettings settings, string rule)
    {
        var block = settings.BlockLength ?? (settings.GenLength % 32 == 0 ? 32 : settings.GenLength);
        return new(settings.GenLength, block, settings.Steps ?? settings.GenLength)
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
    }

    public static DreamSettings OfShifted(CompletionSettings settings, string rule) => new(settings.GenLength, settings.Steps ?? settings.GenLength, rule switch
    {
        "maskgit-plus" => DreamAlgorithm.MaskgitPlus, "topk-margin" => DreamAlgorithm.TopkMargin, "origin" => DreamAlgorithm.Origin, "threshold" => DreamAlgorithm.Threshold, _ => DreamAlgorithm.Entropy,
    })
    {
        Temperature = settings.Temperature,
        Seed = settings.Seed,
        Cache = settings.Cache,
        Threshold = settings.Threshold ?? .9,
        BlockLength = settings.Cache == DecodingCache.None ? null : settings.BlockLength ?? (settings.GenLength % 32 == 0 ? 32 : null),
    };

    /// <summary>Complete blocks are cached, which is exact, whatever the settings say of caches.</summary>
    public static BlockDiffusionSettings OfBlockwise(CompletionSettings settings, string rule, int block, int? stop) => new(settings.GenLength, settings.BlockLength ?? block, settings.Steps ?? settings.BlockLength ?? block, rule switch
    {
        "static" => BlockRemasking.LowConfidenceStatic, "sequential" => BlockRemasking.Sequential, _ => BlockRemasking.LowConfidenceDynamic,
    })
    {
        Temperature = settings.Temperature,
        Seed = settings.Seed,
        Threshold = settings.Threshold ?? .85,
        StopToken = stop,
    };
}
