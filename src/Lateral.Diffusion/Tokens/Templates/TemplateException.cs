namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>
/// A chat template is missing, is none, asks for something that is not implemented, goes over a limit, or refuses the conversation. The message names the file, the line and the column, both counted
/// from one; <see cref="Line"/> is 0 where no place in a template is to blame.
/// </summary>
public sealed class TemplateException : Exception
{
    public TemplateException(string message, int line = 0, int column = 0, Exception? cause = null)
        : base(line > 0 ? $"line {line}, column {column}: {message}" : message, cause) => (Line, Column) = (line, column);

    private TemplateException(string source, TemplateException mistake)
        : base($"{source}: {mistake.Message}", mistake) => (Line, Column) = (mistake.Line, mistake.Column);

    public int Line { get; }

    public int Column { get; }

    /// <summary>The same mistake, with the file that it is in.</summary>
    internal TemplateException In(string source) => new(source, this);
}
