using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>
/// Tokens to statements; Parser.Statements.cs has the tags, Parser.Expressions.cs and Parser.Primaries.cs what stands in them. Filters, tests and tags that are not implemented are refused here, by name, before
/// anything is rendered.
/// </summary>
internal sealed partial class Parser
{
    private static readonly HashSet<string> Keywords = ["and", "or", "not", "in", "is", "if", "else", "elif", "for"];

    // Names of arguments and parameters are compared one by one.
    private const int MostArguments = 255;

    private readonly List<Token> _tokens;
    private readonly TemplateLimits _limits;
    private int _at;
    private int _depth;

    // How many loops the tag is in that 'break' could end.
    private int _loops;

    private Parser(List<Token> tokens, TemplateLimits limits) => (_tokens, _limits) = (tokens, limits);

    /// <exception cref="TemplateException">the text is no template, or asks for something that is not implemented</exception>
    public static ImmutableArray<Statement> Parse(string template, TemplateLimits limits)
    {
        if (template.Length > limits.Length) throw new TemplateException($"the template has {template.Length} characters; at most {limits.Length} are read");
        return new Parser(Lexer.Read(template), limits).Body(opening: null);
    }

    private Token Current => _tokens[_at];

    private Token Take() => _tokens[_at++];

    private bool Sees(TokenKind kind, string text) => Current.Kind == kind && Current.Text == text;

    private bool SeesName(string text) => Sees(TokenKind.Name, text);

    private bool TryTakeName(string text) => TryTake(TokenKind.Name, text);

    private bool TryTakeOperator(string text) => TryTake(TokenKind.Operator, text);

    private bool TryTake(TokenKind kind, string text)
    {
        if (!Sees(kind, text)) return false;
        _at++;
        return true;
    }

    private Token Expect(TokenKind kind, string what) => Current.Kind == kind ? Take() : throw Due(what);

    private void ExpectOperator(string text)
    {
        if (!TryTakeOperator(text)) throw Due($"'{text}'");
    }

    private void ExpectName(string text)
    {
        if (!TryTakeName(text)) throw Due($"'{text}'");
    }

    private TemplateException Due(string what) => Fail(Current.At, $"{what} is due here, and not {Current.Called}");

    private static TemplateException Fail(Place at, string message) => new(message, at.Line, at.Column);

    private void Enter()
    {
        if (++_depth > _limits.Nesting || !RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Fail(Current.At, $"the template is nested deeper than {_limits.Nesting}");
    }

    private void Leave() => _depth--;
}
