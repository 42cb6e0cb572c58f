using Lateral.Core.Runs;

namespace Lateral.Node;

/// <summary>The exact command lines that messages and summaries suggest.</summary>
internal static class Commands
{
    /// <summary>How this program was started: published as <c>lateral</c>, or from a clone with <c>dotnet run</c>.</summary>
    public static string Program { get; } =
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "lateral" && !FromClone
            ? "lateral"
            : "dotnet run -c Release --project src/Lateral.Node --";

    public static string Resume(RunSettings settings) => Line("resume", settings.Name, settings);

    public static string Evaluate(RunSettings settings) => Line("eval", settings.Name, settings);

    public static string Sample(RunSettings settings) => Line("sample", settings.Name, settings);

    public static string Show(RunSettings settings) => Line("runs show", settings.Name, settings);

    public static string Verify(RunSettings settings) => Line("runs verify", settings.Name, settings);

    private static bool FromClone => AppContext.BaseDirectory.Contains(Path.Combine("src", "Lateral.Node", "bin"), StringComparison.Ordinal);

    private static string Line(string verb, string name, RunSettings settings)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(settings.Directory))!;
        var isDefault = folder == Path.GetFullPath("runs");
        return $"{Program} {verb} {name}" + (isDefault ? "" : $" --runs-dir {(folder.Contains(' ', StringComparison.Ordinal) ? $"\"{folder}\"" : folder)}");
    }
}
