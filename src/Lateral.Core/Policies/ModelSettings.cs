namespace Lateral.Core.Policies;

/// <summary>Shape of a fresh model of the LLaDA architecture.</summary>
public sealed record ModelSize(int Width, int Layers, int Heads, int MlpWidth);

/// <summary>The policy network: a checkpoint directory as published, or a size to train from nothing.</summary>
/// <param name="Path">directory with config.json and model.safetensors; null = a fresh model of <paramref name="Size"/></param>
public sealed record ModelSettings(string? Path, ModelSize Size)
{
    /// <summary>Whether a position sees only itself and what stands before it: an autoregressive model. A checkpoint has to agree.</summary>
    public bool Causal { get; init; }
}
