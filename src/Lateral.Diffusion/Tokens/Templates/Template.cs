using System.Collections.Immutable;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>
/// A template in the part of Jinja that chat templates use, rendered as the transformers library sets Jinja up: blocks take their line with them, undefined values are lenient, values cannot be changed. What
/// is not implemented is refused by name; nothing a template says makes it hang, overflow the stack or take memory without bound. Safe on any thread.
/// </summary>
internal sealed class Template
{
    private readonly ImmutableArray<Statement> _body;
    private readonly TemplateLimits _limits;

    private Template(ImmutableArray<Statement> body, TemplateLimits limits) => (_body, _limits) = (body, limits);

    /// <exception cref="TemplateException">the text is no template, or asks for something that is not implemented</exception>
    public static Template Parse(string template, TemplateLimits? limits = null) => new(Parser.Parse(template, limits ?? TemplateLimits.Default), limits ?? TemplateLimits.Default);

    /// <param name="variables">values as in the folder Values</param>
    /// <param name="clock">null = a template that asks for the date is refused</param>
    /// <exception cref="TemplateException">the template asks of a value what it cannot do, goes over a limit, or refuses what it is given</exception>
    public string Render(IEnumerable<KeyValuePair<string, object>> variables, TimeProvider? clock = null)
    {
        var scope = new Scope(Functions.Global(clock));
        foreach (var (name, value) in variables) scope.Set(name, value);
        return new Renderer(new Meter(_limits)).Rendered(_body, scope);
    }
}
