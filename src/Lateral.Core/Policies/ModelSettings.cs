using System.Collections.Immutable;

namespace Lateral.Core.Policies;

/// <summary>Shape of a fresh model of the LLaDA architecture.</summary>
public sealed record ModelSize(int Width, int Layers, int Heads, int MlpWidth);

/// <summary>Low-rank additions to a model's linear maps (LoRA), which are trained in place of its weights.</summary>
/// <param name="Rank">of every addition, at least 1</param>
/// <param name="Alpha">an addition counts alpha / rank times, or alpha / sqrt(rank) where it is <paramref name="RankStabilised"/></param>
/// <param name="Targets">module names as PEFT matches them: a path's end; empty = every linear map of the blocks, experts left out</param>
public sealed record AdapterSettings(int Rank, double Alpha, bool RankStabilised, ImmutableArray<string> Targets)
{
    /// <summary>A folder with PEFT's files of an adapter to begin with, which then say all of the above; null = a fresh one, which adds nothing yet.</summary>
    public string? Path { get; init; }
}

/// <summary>The element type in which weights that are not trained are kept and computed with. What is trained, log-probabilities and optimizers are float32 whatever it is.</summary>
public enum ModelPrecision
{
    Float32,
    BFloat16,
}

/// <summary>The policy network: a checkpoint directory as published, or a size to train from nothing.</summary>
/// <param name="Path">directory with config.json and model.safetensors; null = a fresh model of <paramref name="Size"/></param>
public sealed record ModelSettings(string? Path, ModelSize Size)
{
    /// <summary>Whether a position sees only itself and what stands before it: an autoregressive model. A checkpoint has to agree.</summary>
    public bool Causal { get; init; }

    /// <summary>What is trained while the model of <see cref="Path"/> stays as it is; null = all of it is trained.</summary>
    public AdapterSettings? Adapter { get; init; }

    public ModelPrecision Precision { get; init; }

    /// <summary>Whether prompts are put as a user's message into the model's chat template; null = where the model has its own tokenizer and a template.</summary>
    public bool? Chat { get; init; }
}
