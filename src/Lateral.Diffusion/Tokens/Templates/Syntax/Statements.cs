using System.Collections.Immutable;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>A part of a template that writes text or changes variables.</summary>
internal abstract record Statement(Place At);

internal sealed record Text(string Content, Place At) : Statement(At);

internal sealed record Print(Expression Value, Place At) : Statement(At);

/// <param name="Branches">tried in order; the one without a condition is <c>else</c></param>
internal sealed record If(ImmutableArray<(Expression? Condition, ImmutableArray<Statement> Body)> Branches, Place At) : Statement(At);

/// <param name="Filter">elements for which it does not hold are left out, and the loop does not count them</param>
/// <param name="Otherwise">written where no round came to its end, as where there were no elements</param>
internal sealed record For(Target Target, Expression Elements, Expression? Filter, ImmutableArray<Statement> Body, ImmutableArray<Statement> Otherwise, Place At) : Statement(At);

internal sealed record Set(Target Target, Expression Value, Place At) : Statement(At);

/// <summary><c>{% set name %}...{% endset %}</c></summary>
/// <param name="Value">of <see cref="Captured"/>, which is the body's text</param>
internal sealed record SetBlock(Target Target, Expression Value, ImmutableArray<Statement> Body, Place At) : Statement(At)
{
    /// <summary>A name that no template can write.</summary>
    public const string Captured = "captured text";
}

internal sealed record Macro(string Name, ImmutableArray<(string Name, Expression? Default)> Parameters, ImmutableArray<Statement> Body, Place At) : Statement(At);

/// <summary>What an assistant has written, for those who train on it alone; it is written like anything else.</summary>
internal sealed record Generation(ImmutableArray<Statement> Body, Place At) : Statement(At);

internal sealed record Break(Place At) : Statement(At);

internal sealed record Continue(Place At) : Statement(At);

/// <summary>Where a value goes.</summary>
internal abstract record Target(Place At);

internal sealed record NameTarget(string Name, Place At) : Target(At);

/// <summary><c>namespace.field</c></summary>
internal sealed record FieldTarget(string Namespace, string Field, Place At) : Target(At);

/// <summary><c>a, b</c>: one for each element of the value.</summary>
internal sealed record TupleTarget(ImmutableArray<Target> Targets, Place At) : Target(At);
