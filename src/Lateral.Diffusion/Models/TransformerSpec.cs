namespace Lateral.Diffusion.Models;

/// <summary>What defines the mathematics of a LLaDA transformer: sizes, constants, and the tokens with a meaning of their own.</summary>
/// <param name="Width">d_model; divisible by <paramref name="Heads"/> into an even head width, which rotary positions need.</param>
/// <param name="MlpWidth">Hidden width of the gated MLP.</param>
/// <param name="Vocabulary">Rows of the embedding and of the head, the mask token included.</param>
/// <param name="MaxLength">Longest canvas in tokens.</param>
/// <param name="NormEpsilon">Added to the mean square in RMSNorm.</param>
/// <param name="RopeTheta">Base of the rotary wavelengths.</param>
/// <param name="MaskToken">The token that stands for "not yet revealed"; it is never predicted.</param>
/// <param name="EosToken">Ends a completion; null for a task of fixed length.</param>
/// <param name="PadToken">Fills canvases; null where none is needed.</param>
/// <example>The quickstart model, 124,736 parameters: `TransformerSpec.OfSize("quickstart", vocabulary: 11, maskToken: 10)`.</example>
public sealed record TransformerSpec(
    int Width, int Layers, int Heads, int MlpWidth, int Vocabulary, int MaxLength, double NormEpsilon, double RopeTheta, int MaskToken, int? EosToken, int? PadToken)
{
    private static readonly (string Name, int Width, int Layers, int Heads, int MlpWidth)[] Sizes =
        [("quickstart", 64, 3, 4, 128), ("small", 128, 3, 4, 256), ("medium", 256, 5, 8, 512), ("large", 384, 7, 8, 1024)];

    /// <summary>Width of one attention head.</summary>
    public int HeadWidth => Width / Heads;

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
        Require(Width > 0 && Layers > 0 && Heads > 0 && MlpWidth > 0 && MaxLength > 0, "d_model, n_layers, n_heads, mlp_hidden_size and max_sequence_length must be positive");
        Require(Width % Heads == 0 && HeadWidth % 2 == 0, $"d_model {Width} must divide into {Heads} heads of even width");
        Require(NormEpsilon > 0 && RopeTheta > 0, "rms_norm_eps and rope_theta must be positive");
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
