using System.Collections.Immutable;
using System.Text;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Writes what statements say.</summary>
internal sealed class Renderer(Meter meter)
{
    private readonly Evaluator _evaluator = new(meter);

    private enum Flow
    {
        On,
        Continue,
        Break,
    }

    public string Rendered(ImmutableArray<Statement> body, Scope scope)
    {
        var output = new StringBuilder();
        Write(body, scope, output);
        return output.ToString();
    }

    private Flow Write(ImmutableArray<Statement> body, Scope scope, StringBuilder output)
    {
        foreach (var statement in body)
        {
            meter.Enter(statement.At);
            var flow = Write(statement, scope, output);
            meter.Leave();
            if (flow != Flow.On) return flow;
        }

        return Flow.On;
    }

    private Flow Write(Statement statement, Scope scope, StringBuilder output)
    {
        var site = new Site(meter, statement.At);
        switch (statement)
        {
            case Text text:
                output.Append(site.Made(text.Content));
                break;
            case Print print:
                output.Append(site.Made(Written.Text(_evaluator.Value(print.Value, scope), site)));
                break;
            case If choice:
                foreach (var (condition, body) in choice.Branches)
                {
                    if (condition is null || _evaluator.IsTrue(condition, scope)) return Write(body, scope, output);
                }

                break;
            case For loop:
                return WriteLoop(loop, scope, output, site);
            case Set set:
                Assign(set.Target, _evaluator.Value(set.Value, scope), scope);
                break;
            case SetBlock set:
                var captured = new Scope(scope);
                captured.Set(SetBlock.Captured, site.Made(Rendered(set.Body, new Scope(scope))));
                Assign(set.Target, _evaluator.Value(set.Value, captured), scope);
                break;
            case Macro macro:
                scope.Set(macro.Name, new Function($"the macro '{macro.Name}'", (at, arguments) => Expand(macro, arguments, scope, at)));
                break;
            case Generation generation:
                return Write(generation.Body, new Scope(scope), output);
            case Break:
                return Flow.Break;
            case Continue:
                return Flow.Continue;
            default:
                throw new InvalidOperationException($"{statement.GetType()} cannot be written");
        }

        return Flow.On;
    }

    private Flow WriteLoop(For loop, Scope scope, StringBuilder output, Site site)
    {
        var elements = Elements.Of(_evaluator.Value(loop.Elements, scope), _evaluator.At(loop.Elements));
        if (loop.Filter is { } filter)
        {
            elements = [.. elements.Where(element =>
            {
                var inner = new Scope(scope);
                Assign(loop.Target, element, inner);
                return _evaluator.IsTrue(filter, inner);
            })];
        }

        var (state, ended) = (new Loop(elements), false);
        for (var i = 0; i < elements.Count; i++)
        {
            site.Step();
            state.MoveTo(i);
            var round = new Scope(scope);
            round.Set("loop", state);
            Assign(loop.Target, elements[i], round);
            var flow = Write(loop.Body, round, output);
            ended |= flow == Flow.On;
            if (flow == Flow.Break) break;
        }

        // Jinja notes that there were elements at a round's end, which 'break' and 'continue' do not come to.
        return ended ? Flow.On : Write(loop.Otherwise, new Scope(scope), output);
    }

    private void Assign(Target target, object value, Scope scope)
    {
        var site = new Site(meter, target.At);
        switch (target)
        {
            case NameTarget name:
                scope.Set(name.Name, value);
                break;
            case FieldTarget field:
                var space = scope.Get(field.Namespace) as Namespace ?? throw site.Fail($"'{field.Namespace}' is no namespace, and so '{field.Field}' of it cannot be set; make one with namespace()");
                space.Set(field.Field, value);
                break;
            case TupleTarget tuple:
                var values = Elements.Of(value, site);
                if (values.Count != tuple.Targets.Length) throw site.Fail($"{tuple.Targets.Length} names are to be set, and there are {values.Count} values");
                for (var i = 0; i < values.Count; i++) Assign(tuple.Targets[i], values[i], scope);
                break;
        }
    }

    /// <param name="around">where the macro stands, whose variables it sees as they are when it is called</param>
    private string Expand(Macro macro, Arguments arguments, Scope around, Site site)
    {
        var (parameters, scope) = (macro.Parameters, new Scope(around));
        if (arguments.Positional.Count > parameters.Length) throw site.Fail($"the macro '{macro.Name}' takes {parameters.Length} arguments; {arguments.Positional.Count} were given");
        if (arguments.Named.FirstOrDefault(argument => parameters.All(parameter => parameter.Name != argument.Name)).Name is { } unknown) throw site.Fail($"the macro '{macro.Name}' has no parameter '{unknown}'");
        foreach (var (place, parameter) in parameters.Index())
        {
            var named = arguments.Named.FirstOrDefault(argument => argument.Name == parameter.Name).Value;
            var positional = place < arguments.Positional.Count ? arguments.Positional[place] : null;
            if (named is not null && positional is not null) throw site.Fail($"the macro '{macro.Name}' is given '{parameter.Name}' twice");
            scope.Set(parameter.Name, named ?? positional ?? (parameter.Default is { } absent ? _evaluator.Value(absent, scope) : new Undefined($"'{parameter.Name}' was not given to the macro '{macro.Name}'")));
        }

        return site.Made(Rendered(macro.Body, scope));
    }
}
