namespace Lateral.Diffusion.Decoding;

/// <summary>What every decoder is told.</summary>
/// <param name="GenLength">tokens of a completion, at least 1</param>
public abstract record DecodingSettings(int GenLength)
{
    /// <summary>What logits are divided by before a token is drawn, 0 or more; 0 = the most probable token.</summary>
    public double Temperature { get; init; }

    /// <summary>Of the draws: equal seeds give equal completions.</summary>
    public ulong Seed { get; init; }

    /// <summary>The tokens of whole blocks that cover so many positions.</summary>
    protected static int Covering(int positions, int blockLength) => blockLength < 1 ? positions : (positions + blockLength - 1) / blockLength * blockLength;

    protected static void Require(bool holds, string rule)
    {
        if (!holds) throw new DecodingException(rule);
    }

    protected void RequireCommon()
    {
        Require(GenLength >= 1, $"gen-length {GenLength} must be positive");
        Require(Temperature >= 0 && double.IsFinite(Temperature), $"temperature {Temperature} must be 0 (the most probable token) or positive");
    }

    /// <returns>how many blocks a completion has</returns>
    protected int RequireBlocks(int blockLength)
    {
        RequireCommon();
        Require(blockLength >= 1 && GenLength % blockLength == 0, $"gen-length {GenLength} must be a positive multiple of block-length {blockLength}");
        return GenLength / blockLength;
    }
}
