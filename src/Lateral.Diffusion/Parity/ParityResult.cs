namespace Lateral.Diffusion.Parity;

/// <summary>One comparison with a reference implementation.</summary>
/// <param name="Case">folder, file and what of it: <c>llada-tiny/case-forward logits</c></param>
/// <param name="Error">the largest difference; of token sequences the number of calls that differ</param>
/// <param name="Detail">where it differs, or why it could not be compared; empty = it passed</param>
public sealed record ParityResult(string Case, double Error, string Detail)
{
    /// <summary>Nothing was compared, because a file that belongs to the case is not there: no failure.</summary>
    public bool Skipped { get; init; }

    public bool Passed => Detail.Length == 0;

    public bool Failed => !Passed && !Skipped;

    internal static ParityResult NotThere(string name, string detail) => new(name, double.NaN, detail) { Skipped = true };

    internal static ParityResult Failure(string name, string detail) => new(name, double.NaN, detail);

    /// <summary>Of what has to be equal.</summary>
    /// <param name="different">how many are not</param>
    internal static ParityResult Equal(string name, int different, string detail) => new(name, different, different == 0 ? "" : detail);
}
