namespace Lateral.Node.Cli;

/// <summary>How every command explains itself: one line, and a command line that works.</summary>
internal static class Help
{
    /// <param name="what">in one clause, what the command does</param>
    /// <param name="example">a working command line without the program's name</param>
    public static string Line(string what, string example) => $"{what}; for example: lateral {example}";
}
