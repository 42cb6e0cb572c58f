using Lateral.Core.Learning;

namespace Lateral.Tests.Diffusion;

/// <summary>Methods with the defaults of reference.conf, which these tests do not read.</summary>
internal static class Methods
{
    public static MethodSettings BehaviourClip { get; } = MethodSettings.Of("behaviour-clip", ("clip-epsilon", .2), ("dual-clip", 3));

    /// <summary>Any correction, every knob at a value that makes it act on ratios that differ by tens of percent.</summary>
    public static MethodSettings Correction(string name) => MethodSettings.Of(name, [.. CorrectionRules.ByName(name).Knobs.Select(knob => (knob.Name, knob.Name switch
    {
        "clip-epsilon" or "tv-limit" or "clip-low" => .2,
        "clip-high" => .28,
        "dual-clip" => 3,
        "ratio-cap" => 2,
        "ratio-mask" => 5,
        "ratio-low" => .5,
        "ratio-high" => 2,
        "drift-penalty" => 1e-3,
        "drift-limit" => .1,
        "second-moment" => .04,
        "temperature-positive" => 1,
        "temperature-negative" => 1.05,
        "beta" => .2,
        var other => throw new InvalidOperationException($"no value for {other}"),
    }))]);

    /// <summary>Any likelihood with the defaults of reference.conf.</summary>
    public static MethodSettings Likelihood(string name) => MethodSettings.Of(name, [.. LikelihoodRules.ByName(name).Knobs.Select(knob => (knob.Name, knob.Name switch
    {
        "step-subset" => name == "trajectory" ? 0 : 1,
        "merge" or "samples" or "nodes" => 2,
        "prompt-mask" or "context-mask" => .15,
        "mask-low" => name == "coupled" ? .2 : .01,
        "mask-high" => name == "coupled" ? .8 : .99,
        "mask-block" => 0,
        "causal-block" => 4,
        "upper-share" => .5,
        "power" => 1.5,
        var other => throw new InvalidOperationException($"no value for {other}"),
    }))]);
}
