namespace Lateral.Diffusion.Sampling;

/// <summary>The K best of a short list.</summary>
internal static class TopK
{
    /// <summary>
    /// Fills <paramref name="chosen"/> with the indices of its length largest scores, ascending; equal scores go to the
    /// lower index, so that the result is a function of the scores alone.
    /// </summary>
    /// <exception cref="ArgumentException">fewer scores than asked for</exception>
    public static void Indices<T>(ReadOnlySpan<T> scores, Span<int> chosen)
        where T : struct, IComparable<T>
    {
        if (chosen.Length > scores.Length) throw new ArgumentException($"{chosen.Length} of {scores.Length} candidates cannot be revealed", nameof(chosen));
        var filled = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            // chosen[..filled] is sorted by descending score; an equal score goes behind the earlier index.
            var at = filled;
            while (at > 0 && scores[i].CompareTo(scores[chosen[at - 1]]) > 0) at--;
            if (at == chosen.Length) continue;
            if (filled < chosen.Length) filled++;
            chosen[at..(filled - 1)].CopyTo(chosen[(at + 1)..filled]);
            chosen[at] = i;
        }

        chosen.Sort();
    }
}
