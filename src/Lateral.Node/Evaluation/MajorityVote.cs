namespace Lateral.Node.Evaluation;

/// <summary>
/// Self-consistency (Wang et al., arXiv 2203.11171): of several attempts at a prompt the most frequent final answer counts, of equally frequent ones the first seen. An attempt
/// without an answer does not vote.
/// </summary>
/// <example><c>["12", "13", null, "13"]</c> is won by attempt 1.</example>
public static class MajorityVote
{
    /// <param name="answers">in the order of the attempts; null = no answer</param>
    /// <returns>the first attempt with the winning answer; null where no attempt has any</returns>
    public static int? Winner(IReadOnlyList<string?> answers)
    {
        var votes = Enumerable.Range(0, answers.Count).Where(i => answers[i] is not null).GroupBy(i => answers[i]!, StringComparer.Ordinal);
        // Groups come in the order of their first members, and the first of equally large ones is kept.
        return votes.MaxBy(voters => voters.Count())?.First();
    }
}
