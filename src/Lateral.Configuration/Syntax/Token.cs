namespace Lateral.Configuration;

internal enum TokenKind
{
    End,
    Newline,
    Comma,
    Colon,
    Equals,
    PlusEquals,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    Space,
    Unquoted,
    Quoted,
    Substitution,

    /// <summary>Text whose mistake the lexer has reported: the parser accepts it as a value and stays silent.</summary>
    Bad,
}

/// <summary>One token; <see cref="Text"/> has quotes and escapes removed. <see cref="Path"/> belongs to substitutions.</summary>
internal sealed record Token(TokenKind Kind, string Text, Origin Origin, SubstitutionPath? Path = null)
{
    /// <summary>Text that a key or a string may be built from.</summary>
    public bool IsText => Kind is TokenKind.Unquoted or TokenKind.Quoted or TokenKind.Space;

    public bool IsSeparator => Kind is TokenKind.Colon or TokenKind.Equals or TokenKind.PlusEquals;

    /// <summary>Where a field or list item must stop.</summary>
    public bool EndsValue => Kind is TokenKind.Newline or TokenKind.Comma or TokenKind.CloseBrace or TokenKind.CloseBracket or TokenKind.End;
}

/// <summary>The inside of <c>${?a.b}</c>. <c>${HOSTS[]}</c> sets <see cref="List"/>: the environment fallback reads HOSTS_0, HOSTS_1, ...</summary>
internal sealed record SubstitutionPath(IReadOnlyList<string> Keys, bool Optional, bool List)
{
    public override string ToString() => $"${{{(Optional ? "?" : "")}{ConfigPath.Render(Keys)}{(List ? "[]" : "")}}}";
}
