using System.Collections.Immutable;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>A part of a template that has a value. Trees are as deep as the parser allows, plus one for each operator of a chain; nothing here walks them.</summary>
internal abstract record Expression(Place At);

internal sealed record Literal(object Value, Place At) : Expression(At);

internal sealed record Name(string Text, Place At) : Expression(At);

internal sealed record ListOf(ImmutableArray<Expression> Items, bool Tuple, Place At) : Expression(At);

internal sealed record DictionaryOf(ImmutableArray<(Expression Key, Expression Value)> Entries, Place At) : Expression(At);

/// <param name="Operator"><c>not</c>, <c>-</c> or <c>+</c></param>
internal sealed record Unary(string Operator, Expression Operand, Place At) : Expression(At);

/// <param name="Operator"><c>and</c>, <c>or</c> or an operator of arithmetic</param>
internal sealed record Binary(string Operator, Expression Left, Expression Right, Place At) : Expression(At);

/// <summary><c>a ~ b ~ c</c></summary>
internal sealed record Concatenation(ImmutableArray<Expression> Parts, Place At) : Expression(At);

/// <summary><c>a &lt; b &lt;= c</c>: each is compared with the one before it, and all have to hold.</summary>
internal sealed record Comparison(Expression First, ImmutableArray<(string Operator, Expression Right)> Rest, Place At) : Expression(At);

/// <summary><c>a if condition else b</c></summary>
internal sealed record Choice(Expression Condition, Expression Then, Expression? Otherwise, Place At) : Expression(At);

/// <summary><c>a.name</c></summary>
internal sealed record Member(Expression Of, string Name, Place At) : Expression(At);

/// <summary><c>a[key]</c></summary>
internal sealed record Item(Expression Of, Expression Key, Place At) : Expression(At);

/// <summary><c>a[from:to:step]</c></summary>
internal sealed record Slice(Expression Of, Expression? From, Expression? To, Expression? Step, Place At) : Expression(At);

internal sealed record CallArguments(ImmutableArray<Expression> Positional, ImmutableArray<(string Name, Expression Value)> Named)
{
    public static CallArguments None { get; } = new([], []);
}

internal sealed record Call(Expression Of, CallArguments Arguments, Place At) : Expression(At);

/// <summary><c>a | filter(arguments)</c></summary>
internal sealed record Filtered(Expression Of, Builtin Filter, CallArguments Arguments, Place At) : Expression(At);

/// <summary><c>a is [not] test(arguments)</c></summary>
internal sealed record Tested(Expression Of, Builtin Test, CallArguments Arguments, bool Negated, Place At) : Expression(At);
