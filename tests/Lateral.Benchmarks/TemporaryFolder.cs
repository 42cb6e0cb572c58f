namespace Lateral.Benchmarks;

/// <summary>A folder for one benchmark's files: the caller's, which stays, or a fresh one, which is deleted.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly bool _kept;

    public TemporaryFolder(string? kept = null)
    {
        _kept = kept is not null;
        Path = kept is null ? Directory.CreateTempSubdirectory("lateral-bench-").FullName : Directory.CreateDirectory(kept).FullName;
    }

    public string Path { get; }

    public void Dispose()
    {
        if (!_kept) Directory.Delete(Path, recursive: true);
    }
}
