namespace Lateral.Diffusion.RewardModels;

/// <summary>Texts that share one forward, padded behind their last token. B texts, L the longest.</summary>
/// <param name="Ids">[B * L] token ids</param>
/// <param name="Attended">[B * L] 1 where a text has a token</param>
/// <param name="Shares">[B * L] 1 / (tokens of the completion) at each of them, 0 elsewhere</param>
internal sealed record RewardBatch(int Texts, int Length, double[] Ids, double[] Attended, double[] Shares)
{
    public bool Padded => Array.Exists(Attended, real => real == 0);

    /// <param name="fill">the token that stands where nothing is; it is not attended</param>
    /// <exception cref="ArgumentException">a text has no completion to be read</exception>
    public static RewardBatch Pack(IReadOnlyList<RewardText> texts, int fill)
    {
        var length = texts.Max(text => text.Length);
        double[] ids = new double[texts.Count * length], attended = new double[ids.Length], shares = new double[ids.Length];
        Array.Fill(ids, fill);
        foreach (var (b, text) in texts.Index())
        {
            if (text.Completion.IsDefaultOrEmpty) throw new ArgumentException($"text {b} has no completion", nameof(texts));
            var at = b * length;
            foreach (var (i, id) in text.Prompt.Concat(text.Completion).Index()) ids[at + i] = id;
            attended.AsSpan(at, text.Length).Fill(1);
            shares.AsSpan(at + text.Prompt.Length, text.Completion.Length).Fill(1.0 / text.Completion.Length);
        }

        return new(texts.Count, length, ids, attended, shares);
    }

    /// <summary>
    /// Indices of what goes into each forward: shortest first, as many as fit <paramref name="tokens"/> with their padding; what is longer alone stands alone. A pure function of the lengths.
    /// </summary>
    public static IEnumerable<int[]> Cut(IReadOnlyList<int> lengths, int tokens)
    {
        var pending = new List<int>();
        // A stable sort: the longest of a forward is its last.
        foreach (var index in Enumerable.Range(0, lengths.Count).OrderBy(index => lengths[index]))
        {
            if (pending.Count > 0 && (long)(pending.Count + 1) * lengths[index] > tokens)
            {
                yield return [.. pending];
                pending.Clear();
            }

            pending.Add(index);
        }

        if (pending.Count > 0) yield return [.. pending];
    }
}
