namespace Lateral.Configuration;

/// <summary>
/// Reads files and their includes. Invariants: a file never includes itself, directly or through others; the number of includes
/// of one load is bounded, because ten files that each include the next one twice would otherwise be read a thousand times.
/// </summary>
internal sealed class SourceReader(HoconOptions options, Diagnostics diagnostics)
{
    private const int MaxIncludes = 1000;
    private const int MaxOpen = 32;

    private readonly List<(string Name, string FullPath)> _open = [];
    private int _includes;

    public ObjectNode ParseText(string text, string source, IReadOnlyList<string>? prefix = null, int depth = 0)
    {
        if (text.Length > SourceText.MaxBytes)
        {
            diagnostics.ReportStructure(new Origin(source, 0, 0), $"has {text.Length} characters - a config file may have {SourceText.MaxBytes} - is this the right file?");
            return new ObjectNode(new Origin(source, 1, 1));
        }

        return new Parser(Lexer.Read(text, source, diagnostics), source, this, diagnostics, prefix ?? [], depth).ParseRoot();
    }

    /// <summary>A file named by the user: it must exist.</summary>
    public ObjectNode ParseFile(string file)
    {
        var origin = new Origin(file, 0, 0);
        if (file.Length == 0 || file.Contains('\0', StringComparison.Ordinal)) diagnostics.Report(origin, "a config file needs a name");
        else if (Read(file, origin) is { } text) return ParseOpen(file, text, [], 0);
        else diagnostics.Report(origin, NotFound(file));
        return new ObjectNode(new Origin(file, 1, 1));
    }

    private static string NotFound(string file)
    {
        if (Directory.Exists(file)) return $"is a folder - a config file is wanted - name one of the files in it, such as {Path.Combine(file, "run.conf")}";
        var advice = IncludeName.Nearest(file) is { } near ? $"did you mean {Path.Combine(DirectoryOf(file), near)}?" : "check the name, or run from the folder that holds it";
        return $"file not found - looked in {DirectoryOf(Path.GetFullPath(file))} - {advice}";
    }

    /// <summary>
    /// An include, relative to the file that holds it and never to the working directory, in every form: <c>file(...)</c> too.
    /// Null when it is optional and absent, or refused with an error.
    /// </summary>
    public ObjectNode? Include(string name, bool required, Origin origin, IReadOnlyList<string> prefix, int depth)
    {
        if (IncludeName.Refusal(name) is { } refusal)
        {
            diagnostics.Report(origin, refusal);
            return null;
        }

        var path = Path.Combine(DirectoryOf(origin.Source), name);
        ObjectNode? found = null;
        foreach (var candidate in IncludeName.Candidates(path))
        {
            if (IsCycle(candidate, origin)) return null;
            if (Read(candidate, origin) is not { } text) continue;
            found ??= new ObjectNode(origin);
            if (++_includes <= MaxIncludes && _open.Count <= MaxOpen) found.Absorb(ParseOpen(candidate, text, prefix, depth));
            else diagnostics.Report(origin, $"too many includes - one load may read {MaxIncludes} files, {MaxOpen} inside one another - include each file once");
        }

        if (found is null && required) diagnostics.Report(origin, MissingInclude(path));
        return found;
    }

    private static string MissingInclude(string path) => $"file not found: {path} - include required(...) must find it - " +
        (IncludeName.Nearest(path) is { } near ? $"did you mean {near}?" : "check the name; it is relative to the including file");

    private bool IsCycle(string file, Origin origin)
    {
        var full = Path.GetFullPath(file);
        var first = _open.FindIndex(f => f.FullPath == full);
        if (first < 0) return false;
        var cycle = string.Join(" -> ", _open.Skip(first).Select(f => f.Name).Append(file));
        diagnostics.Report(origin, $"include cycle: {cycle} - a file cannot contain itself - remove one of these includes");
        return true;
    }

    private ObjectNode ParseOpen(string file, string text, IReadOnlyList<string> prefix, int depth)
    {
        _open.Add((file, Path.GetFullPath(file)));
        var root = ParseText(text, file, prefix, depth);
        _open.RemoveAt(_open.Count - 1);
        return root;
    }

    private string? Read(string file, Origin origin)
    {
        try
        {
            return options.ReadFile(file);
        }
        catch (SourceTextException e)
        {
            diagnostics.Report(new Origin(file, e.Line, e.Column), e.Message);
            return "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or System.Security.SecurityException)
        {
            diagnostics.Report(origin, $"{file} cannot be read: {e.Message}");
            return "";
        }
    }

    private static string DirectoryOf(string file) => Path.GetDirectoryName(file) ?? "";
}
