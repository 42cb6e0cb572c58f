using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>Who sees whom in a forward, and where everyone stands. B canvases, L length, K head width.</summary>
/// <param name="Cos">[L, 1, K], or [B, L, 1, K] where canvases differ</param>
/// <param name="Sin">alike</param>
/// <param name="KeyBias_BL">added to every score of a key; null = all are seen</param>
internal sealed record Attention(long B, long L, Tensor Cos, Tensor Sin, Tensor? KeyBias_BL)
{
    /// <summary>Added to the score of a query and a key; null = whom a query sees does not depend on the query.</summary>
    public Tensor? Bias_BLL { get; init; }

    /// <summary>Not null: the queries are a window of positions that see cached ones, too.</summary>
    public CachedWindow? Window { get; init; }

    /// <summary>A query sees what stands before it and itself.</summary>
    public bool Causal { get; init; }

    /// <summary>What blocks are told about the noise: [1, C], or [B * L, C] where canvases differ; null = nothing, or not yet computed.</summary>
    public Tensor? Condition { get; init; }

    /// <summary>The same of tensors that live as long as their keeper says.</summary>
    public Attention Kept(Func<Tensor, Tensor> keep) => this with
    {
        Cos = keep(Cos),
        Sin = keep(Sin),
        KeyBias_BL = KeyBias_BL is { } keys ? keep(keys) : null,
        Bias_BLL = Bias_BLL is { } bias ? keep(bias) : null,
        Condition = Condition is { } condition ? keep(condition) : null,
    };
}

/// <summary>
/// The block-causal attention of block diffusion training (Arriola et al., arXiv 2503.09573, figure 3; SDAR, LLaDA2): a canvas is [prompt | completion | completion with
/// masks]. The prompt sees itself; a block of the clean completion sees the prompt, earlier clean blocks and itself; a block with masks sees the prompt, earlier
/// clean blocks and itself. So one forward answers for all blocks what each would have been asked with its past clean and its future absent.
/// </summary>
/// <param name="Position_BL">int64 rotary positions: both copies of a token stand at the same one</param>
/// <param name="Visible_BLL">bool: query i may see key j</param>
/// <param name="Longest">one more than the largest position</param>
public sealed record BlockCausalLayout(Tensor Position_BL, Tensor Visible_BLL, int Longest);
