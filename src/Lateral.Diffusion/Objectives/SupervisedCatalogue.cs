using Lateral.Core.Learning;

namespace Lateral.Diffusion.Objectives;

/// <summary>Supervised objectives by their configuration name.</summary>
public static class SupervisedCatalogue
{
    /// <param name="blockLength">tokens that the sampler denoises together</param>
    /// <exception cref="ArgumentException">no such objective</exception>
    public static ISupervisedObjective Create(MethodSettings method, int blockLength) => method.Name switch
    {
        "masked" => new MaskedObjective(),
        "block" => new BlockObjective(blockLength),
        "dot" => ThoughtObjective.From(method),
        "dot-mp" => MultiPassObjective.From(method, blockLength),
        "next-token" => new NextTokenObjective(),
        var name => throw new ArgumentException($"unknown supervised objective '{name}'; one of: {string.Join(", ", SupervisedRules.Names)}", nameof(method)),
    };
}
