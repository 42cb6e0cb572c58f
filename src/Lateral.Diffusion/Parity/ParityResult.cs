namespace Lateral.Diffusion.Parity;

/// <summary>One comparison with a reference implementation.</summary>
/// <param name="Case">folder, file and what of it: <c>llada-tiny/case-forward logits</c></param>
/// <param name="Error">the largest difference; of token sequences the number of calls that differ</param>
/// <param name="Detail">where it differs, or why it could not be compared; empty = it passed</param>
public sealed record ParityResult(string Case, double Error, string Detail)
{
    public bool Passed => Detail.Length == 0;
}
