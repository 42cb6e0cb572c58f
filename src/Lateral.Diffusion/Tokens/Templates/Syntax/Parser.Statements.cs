using System.Collections.Immutable;

namespace Lateral.Diffusion.Tokens.Templates;

internal sealed partial class Parser
{
    /// <summary>Statements up to the tag that ends them, which is left to be read.</summary>
    /// <param name="opening">the tag that is to be ended; null = the whole template</param>
    private ImmutableArray<Statement> Body(Token? opening, params ReadOnlySpan<string> ends)
    {
        var body = ImmutableArray.CreateBuilder<Statement>();
        while (Current.Kind != TokenKind.End)
        {
            var token = Take();
            if (token.Kind == TokenKind.Text) body.Add(new Text(token.Text, token.At));
            else if (token.Kind == TokenKind.PrintBegin)
            {
                body.Add(new Print(TupleOrOne(inlineIf: true), token.At));
                Expect(TokenKind.PrintEnd, "'}}'");
            }
            else
            {
                if (Current.Kind == TokenKind.Name && ends.Contains(Current.Text)) return body.DrainToImmutable();
                Enter();
                body.Add(Tag(Expect(TokenKind.Name, "a tag's name")));
                Leave();
            }
        }

        if (opening is { } open) throw Fail(open.At, $"'{open.Text}' has no end; close it with '{{% {ends[^1]} %}}'");
        return body.DrainToImmutable();
    }

    private Statement Tag(Token name)
    {
        Statement statement = name.Text switch
        {
            "if" => IfTag(name),
            "for" => ForTag(name),
            "set" => SetTag(name),
            "macro" => MacroTag(name),
            "generation" => new Generation(Closed(name, "endgeneration"), name.At),
            "break" => _loops > 0 ? new Break(name.At) : throw Fail(name.At, "'break' stands in no loop"),
            "continue" => _loops > 0 ? new Continue(name.At) : throw Fail(name.At, "'continue' stands in no loop"),
            "else" or "elif" or "endif" or "endfor" or "endset" or "endmacro" or "endgeneration" or "endraw" => throw Fail(name.At, $"'{name.Text}' belongs to nothing that is open here"),
            _ => throw Fail(name.At, $"the tag '{name.Text}' is not implemented; if, for, set, macro, break, continue, generation and raw are"),
        };
        EndTag();
        return statement;
    }

    private void EndTag() => Expect(TokenKind.TagEnd, "'%}'");

    /// <summary>A body with an end of its own, in which a loop around it cannot be left.</summary>
    private ImmutableArray<Statement> Closed(Token name, string end)
    {
        var loops = _loops;
        _loops = 0;
        EndTag();
        var body = Body(name, end);
        ExpectName(end);
        _loops = loops;
        return body;
    }

    private If IfTag(Token name)
    {
        var branches = ImmutableArray.CreateBuilder<(Expression?, ImmutableArray<Statement>)>();
        Expression? condition = TupleOrOne(inlineIf: false);
        while (true)
        {
            EndTag();
            branches.Add((condition, condition is null ? Body(name, "endif") : Body(name, "elif", "else", "endif")));
            if (TryTakeName("endif")) return new(branches.DrainToImmutable(), name.At);
            condition = TryTakeName("elif") ? TupleOrOne(inlineIf: false) : null;
            if (condition is null) ExpectName("else");
        }
    }

    private For ForTag(Token name)
    {
        var target = Targets();
        ExpectName("in");
        var elements = TupleOrOne(inlineIf: false);
        var filter = TryTakeName("if") ? Condition() : null;
        if (SeesName("recursive")) throw Fail(Current.At, "recursive loops are not implemented; call a macro that calls itself");
        EndTag();
        _loops++;
        var body = Body(name, "else", "endfor");
        _loops--;
        ImmutableArray<Statement> otherwise = [];
        if (TryTakeName("else"))
        {
            EndTag();
            otherwise = Body(name, "endfor");
        }

        ExpectName("endfor");
        return new(target, elements, filter, body, otherwise, name.At);
    }

    private Statement SetTag(Token name)
    {
        var target = Targets(fields: true);
        if (TryTakeOperator("=")) return new Set(target, TupleOrOne(inlineIf: true), name.At);
        if (target is TupleTarget) throw Due("'='");
        var value = Filters(new Name(SetBlock.Captured, name.At), tests: false);
        return new SetBlock(target, value, Closed(name, "endset"), name.At);
    }

    private Macro MacroTag(Token name)
    {
        var called = Expect(TokenKind.Name, "the macro's name");
        ExpectOperator("(");
        var parameters = ImmutableArray.CreateBuilder<(string Name, Expression? Default)>();
        while (!TryTakeOperator(")"))
        {
            if (parameters.Count > 0) ExpectOperator(",");
            if (parameters.Count == MostArguments) throw Fail(Current.At, $"a macro has at most {MostArguments} parameters");
            var parameter = Assignable(Expect(TokenKind.Name, "a parameter's name"));
            if (parameters.Any(known => known.Name == parameter.Text)) throw Fail(parameter.At, $"the macro has two parameters '{parameter.Text}'");
            var absent = TryTakeOperator("=") ? Condition() : null;
            if (absent is null && parameters is [.., { Default: not null }]) throw Fail(parameter.At, $"the parameter '{parameter.Text}' needs a default, as those before it have one");
            parameters.Add((parameter.Text, absent));
        }

        return new(Assignable(called).Text, parameters.DrainToImmutable(), Closed(name, "endmacro"), name.At);
    }

    /// <param name="fields">fields of namespaces may be set</param>
    private Target Targets(bool fields = false)
    {
        var at = Current.At;
        var first = OneTarget(fields);
        if (!Sees(TokenKind.Operator, ",")) return first;
        var targets = ImmutableArray.CreateBuilder<Target>();
        targets.Add(first);
        while (TryTakeOperator(",") && (Current.Kind == TokenKind.Name || Sees(TokenKind.Operator, "(")) && !SeesName("in")) targets.Add(OneTarget(fields));
        return new TupleTarget(targets.DrainToImmutable(), at);
    }

    private Target OneTarget(bool fields)
    {
        if (TryTakeOperator("("))
        {
            Enter();
            var inner = Targets(fields);
            Leave();
            ExpectOperator(")");
            return inner;
        }

        var name = Assignable(Expect(TokenKind.Name, "a variable's name"));
        if (!fields && name.Text == "loop") throw Fail(name.At, "'loop' cannot be an element's name: it is the loop itself");
        return fields && TryTakeOperator(".") ? new FieldTarget(name.Text, Expect(TokenKind.Name, "a field's name").Text, name.At) : new NameTarget(name.Text, name.At);
    }

    private static Token Assignable(Token name) =>
        Keywords.Contains(name.Text) || Constant(name.Text) is not null ? throw Fail(name.At, $"'{name.Text}' cannot be a name: it has a meaning of its own") : name;
}
