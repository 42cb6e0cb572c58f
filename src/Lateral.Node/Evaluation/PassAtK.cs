namespace Lateral.Node.Evaluation;

/// <summary>
/// Chance that at least one of k attempts passes, estimated without bias from n attempts of which c passed:
/// 1 - C(n-c, k) / C(n, k) (Chen et al., "Evaluating large language models trained on code", arXiv 2107.03374, section 2.1).
/// </summary>
public static class PassAtK
{
    /// <exception cref="ArgumentOutOfRangeException">not 0 &lt;= c &lt;= n and 1 &lt;= k &lt;= n</exception>
    public static double Estimate(int n, int c, int k)
    {
        if (k < 1 || k > n || c < 0 || c > n) throw new ArgumentOutOfRangeException(nameof(k), $"pass@{k} of {c} in {n} is not defined");
        if (n - c < k) return 1;
        // C(n-c, k) / C(n, k) as a product of k factors below 1, which cannot overflow.
        var nonePasses = 1.0;
        for (var i = 0; i < k; i++) nonePasses *= (double)(n - c - i) / (n - i);
        return 1 - nonePasses;
    }
}
