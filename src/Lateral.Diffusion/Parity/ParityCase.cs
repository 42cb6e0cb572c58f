namespace Lateral.Diffusion.Parity;

/// <summary>What a reference implementation did once, in a file or two of one name, or in an adapter's folder.</summary>
/// <param name="Folder">where it lies</param>
/// <param name="Title">that folder's name and its own: <c>llada-tiny/gen-full-32x32</c></param>
public sealed record ParityCase(string Folder, string Title)
{
    private string Name => Title[(Title.LastIndexOf('/') + 1)..];

    /// <summary>Its comparisons, at least one. Whatever goes wrong is a comparison that failed, so that the other cases are still compared.</summary>
    public IReadOnlyList<ParityResult> Run()
    {
        var results = new List<ParityResult>();
        try
        {
            using var folder = new ParityFolder(Folder, Title[..Title.LastIndexOf('/')]);
            if (ParitySuite.ComparisonOf(this, Name) is not { } compare) return [ParityResult.Failure(Title, "is of a kind that nothing here compares")];
            // One after the other: what was compared before something went wrong counts.
            foreach (var result in compare(folder, Name)) results.Add(result);
            if (results.Count == 0) results.Add(ParityResult.Failure(Title, "has nothing that is compared here"));
        }
        catch (Exception mistake) when (mistake is not OutOfMemoryException)
        {
            results.Add(ParityResult.Failure(Title, $"{mistake.Message.ReplaceLineEndings(" ")} ({mistake.GetType().Name})"));
        }

        return results;
    }
}
