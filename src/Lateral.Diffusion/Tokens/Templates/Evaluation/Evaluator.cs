namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>What expressions are worth. Every evaluation is a step, and those inside one another are counted.</summary>
internal sealed class Evaluator(Meter meter)
{
    public object Value(Expression expression, Scope scope)
    {
        meter.Enter(expression.At);
        var value = expression switch
        {
            Literal literal => literal.Value,
            Name name => Named(name, scope),
            Member member => Members.Attribute(Value(member.Of, scope), member.Name, At(member)),
            Item item => Members.Item(Value(item.Of, scope), Value(item.Key, scope), At(item)),
            Slice slice => Members.Slice(Value(slice.Of, scope), Optional(slice.From, scope), Optional(slice.To, scope), Optional(slice.Step, scope), At(slice)),
            Filtered filtered => filtered.Filter.Invoke(At(filtered), Value(filtered.Of, scope), Values(filtered.Arguments, scope)),
            Tested tested => Kinds.IsTrue(tested.Test.Invoke(At(tested), Value(tested.Of, scope), Values(tested.Arguments, scope))) != tested.Negated,
            Call call => Called(call, scope),
            Binary binary => Combined(binary, scope),
            Concatenation concatenation => Concatenated(concatenation, scope),
            Comparison comparison => Compared(comparison, scope),
            Unary { Operator: "not" } negation => !IsTrue(negation.Operand, scope),
            Unary unary => Operators.Signed(unary.Operator, Value(unary.Operand, scope), At(unary)),
            Choice choice => Chosen(choice, scope),
            ListOf list => At(list).Sequence(list.Tuple ? SequenceKind.Tuple : SequenceKind.List, [.. list.Items.Select(item => Value(item, scope))]),
            DictionaryOf dictionary => At(dictionary).Dictionary(dictionary.Entries.Select(entry => (Value(entry.Key, scope), Value(entry.Value, scope)))),
            _ => throw new InvalidOperationException($"{expression.GetType()} cannot be evaluated"),
        };
        meter.Leave();
        return value;
    }

    public bool IsTrue(Expression expression, Scope scope) => Kinds.IsTrue(Value(expression, scope));

    public Site At(Expression expression) => new(meter, expression.At);

    private object? Optional(Expression? expression, Scope scope) => expression is null ? null : Value(expression, scope);

    private Arguments Values(CallArguments arguments, Scope scope) => ReferenceEquals(arguments, CallArguments.None)
        ? Arguments.None
        : new([.. arguments.Positional.Select(argument => Value(argument, scope))], [.. arguments.Named.Select(argument => (argument.Name, Value(argument.Value, scope)))]);

    private object Named(Name name, Scope scope)
    {
        if (scope.Get(name.Text) is { } value) return value;
        return Functions.IsRefused(name.Text) ? throw At(name).Fail($"'{name.Text}' is not implemented") : new Undefined($"'{name.Text}' is undefined");
    }

    private object Called(Call call, Scope scope)
    {
        var site = At(call);
        return Value(call.Of, scope) switch
        {
            Function function => function.Call(site, Values(call.Arguments, scope)),
            Undefined undefined => throw site.Fail($"{undefined.Why}, and so it cannot be called"),
            Loop => throw site.Fail("recursive loops are not implemented; call a macro that calls itself"),
            var other => throw site.Fail($"{Kinds.Of(other)} cannot be called"),
        };
    }

    private object Combined(Binary binary, Scope scope)
    {
        var left = Value(binary.Left, scope);
        return binary.Operator switch
        {
            // One of the two values, and not whether they are true.
            "and" => Kinds.IsTrue(left) ? Value(binary.Right, scope) : left,
            "or" => Kinds.IsTrue(left) ? left : Value(binary.Right, scope),
            _ => Operators.Apply(binary.Operator, left, Value(binary.Right, scope), At(binary)),
        };
    }

    private string Concatenated(Concatenation concatenation, Scope scope)
    {
        var site = At(concatenation);
        return Searching.Join("", [.. concatenation.Parts.Select(part => Written.Text(Value(part, scope), site))], site);
    }

    private object Compared(Comparison comparison, Scope scope)
    {
        var site = At(comparison);
        var left = Value(comparison.First, scope);
        foreach (var (sign, expression) in comparison.Rest)
        {
            var right = Value(expression, scope);
            if (!Comparing.Holds(sign, left, right, site)) return false;
            left = right;
        }

        return true;
    }

    private object Chosen(Choice choice, Scope scope) => IsTrue(choice.Condition, scope)
        ? Value(choice.Then, scope)
        : Optional(choice.Otherwise, scope) ?? new Undefined("the condition does not hold and there is no 'else'");
}
