namespace Lateral.Diffusion.Models;

/// <summary>What defines the mathematics of a transformer: sizes, constants, and the tokens with a meaning of their own. Without more it is LLaDA's.</summary>
/// <param name="Width">Of the residual stream.</param>
/// <param name="MlpWidth">Hidden width of the gated MLP; of the dense one where there are experts.</param>
/// <param name="Vocabulary">Rows of the embedding and of the head, the mask token included.</param>
/// <param name="MaxLength">Longest canvas in tokens.</param>
/// <param name="NormEpsilon">Added to the mean square, or the variance, under a norm's root.</param>
/// <param name="RopeTheta">Base of the rotary wavelengths.</param>
/// <param name="MaskToken">The token that stands for "not yet revealed"; it is never predicted.</param>
/// <param name="EosToken">Ends a completion; null for a task of fixed length.</param>
/// <param name="PadToken">Fills canvases; null where none is needed.</param>
/// <example>The quickstart model, 124,736 parameters: `TransformerSpec.OfSize("quickstart", vocabulary: 11, maskToken: 10)`.</example>
public sealed record TransformerSpec(
    int Width, int Layers, int Heads, int MlpWidth, int Vocabulary, int MaxLength, double NormEpsilon, double RopeTheta, int MaskToken, int? EosToken, int? PadToken)
{
    /// <summary>
    /// Bounds far above any model's, so that what a file claims is refused before anything is allocated by it, and no product of two sizes overflows. Invariant: heads times head width is at most 2^28.
    /// </summary>
    internal const int MostLayers = 1 << 12, MostWidth = 1 << 20, MostHeads = 1 << 14, MostVocabulary = 1 << 24;

    private static readonly (string Name, int Width, int Layers, int Heads, int MlpWidth)[] Sizes =
        [("quickstart", 64, 3, 4, 128), ("small", 128, 3, 4, 256), ("medium", 256, 5, 8, 512), ("large", 384, 7, 8, 1024)];

    /// <summary>Whether the model also has an unmasking policy, see <see cref="Models.UnmaskingPolicy"/>.</summary>
    public bool UnmaskingPolicy { get; init; }

    /// <summary>
    /// Whether a position sees only itself and what stands before it. The hidden state of a token then answers for the one behind it, as in every autoregressive model: what is
    /// asked about position i is read at i - 1.
    /// </summary>
    public bool Causal { get; init; }

    /// <summary>How checkpoints of its kind are laid out: the <c>model_type</c> of their config.json.</summary>
    public string Family { get; init; } = ModelFamilies.Llada;

    /// <summary>Heads of keys and values, each of which serves as many query heads (grouped-query attention).</summary>
    public int KeyHeads { get; init; } = Heads;

    /// <summary>Width of one attention head; even, which rotary positions need.</summary>
    public int HeadWidth { get; init; } = Heads > 0 ? Width / Heads : 0;

    /// <summary>Of a head, how much turns with the position; the rest does not.</summary>
    public int RotaryWidth { get; init; } = Heads > 0 ? Width / Heads : 0;

    /// <summary>Queries and keys turn in the stream's element type, by rounded angles (Dream, SDAR), and not in float32 (LLaDA).</summary>
    public bool RotaryRounded { get; init; }

    /// <summary>Every head's queries and keys are normed before they turn.</summary>
    public bool HeadNorm { get; init; }

    /// <summary>A norm is rounded to the stream's element type after its weight (SDAR), and not before it.</summary>
    public bool NormRoundedLast { get; init; }

    /// <summary>Queries, keys and values have a bias.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Queries, keys and values are one matrix, in this order.</summary>
    public bool FusedAttention { get; init; }

    /// <summary>The embedding of <see cref="PadToken"/> is never trained (the padding index of the released code's embedding).</summary>
    public bool PadUntrained { get; init; }

    /// <summary>What stands for a token is read one position before it, though everything is seen (Dream).</summary>
    public bool Shifted { get; init; }

    /// <summary>A position sees its own block of this many tokens, counted from the canvas's begin, and those before it; null = everything.</summary>
    public int? AttentionBlock { get; init; }

    /// <summary>Width of what every block is told about the noise (<see cref="ModulatedBlock"/>); null = blocks are told nothing.</summary>
    public int? ConditionWidth { get; init; }

    /// <summary>Null = every block has a dense MLP.</summary>
    public ExpertSpec? Experts { get; init; }

    /// <summary>Blocks that are run more than once; null = each once.</summary>
    public LoopSpec? Loop { get; init; }

    /// <summary>Whether position i is asked about at i - 1.</summary>
    public bool AnswersBefore => Causal || Shifted;

    /// <summary>Names of the sizes for models that are trained from nothing, smallest first (0.12, 0.5, 3.3 and 12.4 million parameters plus the vocabulary's).</summary>
    public static IReadOnlyList<string> SizeNames { get; } = [.. Sizes.Select(size => size.Name)];

    /// <summary>A fresh model of a named size.</summary>
    /// <exception cref="ModelException">There is no such size.</exception>
    public static TransformerSpec OfSize(string size, int vocabulary, int maskToken, int? eosToken = null, int? padToken = null, int maxLength = 1024)
    {
        var index = Array.FindIndex(Sizes, known => known.Name == size);
        if (index < 0) throw new ModelException($"there is no model size '{size}'; sizes are {string.Join(", ", SizeNames)}");
        var (_, width, layers, heads, mlpWidth) = Sizes[index];
        return new TransformerSpec(width, layers, heads, mlpWidth, vocabulary, maxLength, 1e-5, 10_000, maskToken, eosToken, padToken).Checked();
    }

    /// <summary>This, if its numbers fit together.</summary>
    /// <exception cref="ModelException">They do not; the message names the bound.</exception>
    public TransformerSpec Checked()
    {
        Require(Width > 0 && Layers > 0 && Heads > 0 && MlpWidth > 0 && MaxLength > 0, "width, layers, heads, MLP width and longest canvas must be positive");
        Require(Width <= MostWidth && MlpWidth <= MostWidth && ConditionWidth is null or <= MostWidth, $"widths are at most {MostWidth}, got {Width}, {MlpWidth} of the MLP and {ConditionWidth ?? 0} of the condition");
        Require(Layers <= MostLayers && Heads <= MostHeads && HeadWidth <= MostHeads && Vocabulary <= MostVocabulary, $"at most {MostLayers} layers, {MostHeads} heads, {MostHeads} wide each, and {MostVocabulary} tokens are read, got {Layers}, {Heads}, {HeadWidth} and {Vocabulary}");
        Require(Family != ModelFamilies.Llada || Width % Heads == 0, $"width {Width} must divide into {Heads} heads");
        Require(HeadWidth > 0 && HeadWidth % 2 == 0, $"a head's width must be even, and {Width} in {Heads} heads gives {HeadWidth}");
        Require(RotaryWidth > 0 && RotaryWidth % 2 == 0 && RotaryWidth <= HeadWidth, $"what turns of a head must be an even part of its {HeadWidth}, got {RotaryWidth}");
        Require(KeyHeads > 0 && Heads % KeyHeads == 0, $"{Heads} query heads must share {KeyHeads} key heads evenly");
        Require(AttentionBlock is null or > 0, $"an attention block must have a token, got {AttentionBlock}");
        Require(NormEpsilon > 0 && RopeTheta > 0 && double.IsFinite(NormEpsilon) && double.IsFinite(RopeTheta), "rms_norm_eps and rope_theta must be positive");
        Require(!UnmaskingPolicy || Family == ModelFamilies.Llada, $"a {Family} model has no unmasking policy: its answers are not read where the policy scores them");
        Require(ConditionWidth is null or > 0, $"what blocks are told about the noise must have a width, got {ConditionWidth}");
        Experts?.Require(this);
        Loop?.Require(Layers);
        Require(MaskToken >= 0 && MaskToken < Vocabulary, $"mask_token_id {MaskToken} must lie in the vocabulary of {Vocabulary}");
        Require(EosToken is null || (EosToken >= 0 && EosToken < Vocabulary), $"eos_token_id {EosToken} must lie in the vocabulary of {Vocabulary}");
        Require(PadToken is null || (PadToken >= 0 && PadToken < Vocabulary), $"pad_token_id {PadToken} must lie in the vocabulary of {Vocabulary}");
        return this;

        static void Require(bool holds, string rule)
        {
            if (!holds) throw new ModelException(rule);
        }
    }
}
