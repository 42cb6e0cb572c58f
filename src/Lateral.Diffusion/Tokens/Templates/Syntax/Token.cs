namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>A place in a template: both count from one, columns in UTF-16 code units.</summary>
internal readonly record struct Place(int Line, int Column);

internal enum TokenKind
{
    Text,
    PrintBegin,
    PrintEnd,
    TagBegin,
    TagEnd,
    Name,
    String,
    Number,
    Operator,
    End,
}

/// <summary>A piece of a template.</summary>
/// <param name="Text">a name or operator as written; what stands between tags, or what a string literal means</param>
/// <param name="Number">a long or a double, where it is a number</param>
internal readonly record struct Token(TokenKind Kind, string Text, Place At, object? Number = null)
{
    /// <summary>How messages call it.</summary>
    public string Called => Kind switch
    {
        TokenKind.Text => "text",
        TokenKind.PrintBegin => "'{{'",
        TokenKind.PrintEnd => "'}}'",
        TokenKind.TagBegin => "'{%'",
        TokenKind.TagEnd => "'%}'",
        TokenKind.String => "a string",
        TokenKind.Number => $"the number {Text}",
        TokenKind.End => "the end of the template",
        _ => $"'{Text}'",
    };
}
