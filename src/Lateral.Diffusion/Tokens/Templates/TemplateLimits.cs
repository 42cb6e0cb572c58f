namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>
/// What a template may use: a published file is somebody else's program, and none may hang a run or eat its memory. The defaults are far above any conversation (a million characters, thousands of turns) and
/// are used up within seconds.
/// </summary>
/// <param name="Length">characters of a template</param>
/// <param name="Nesting">tags and parentheses inside one another in a template, and lists inside lists in a value</param>
/// <param name="Depth">evaluations inside one another, through macros that call macros</param>
/// <param name="Steps">parts of a template evaluated, and elements of lists read or made</param>
/// <param name="Characters">characters of text made, searched or written, the output among them</param>
public sealed record TemplateLimits(int Length, int Nesting, int Depth, long Steps, long Characters)
{
    public static TemplateLimits Default { get; } = new(Length: 1 << 20, Nesting: 100, Depth: 1000, Steps: 5_000_000, Characters: 64L << 20);
}
