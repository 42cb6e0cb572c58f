namespace Lateral.Diffusion.Tokens.Templates;

internal sealed partial class Parser
{
    /// <summary>Filters, and where allowed tests and calls of what they give.</summary>
    private Expression Filters(Expression value, bool tests)
    {
        while (true)
        {
            var at = Current.At;
            if (TryTakeOperator("|")) value = Filter(value);
            else if (tests && TryTakeName("is")) value = Test(value);
            else if (tests && Sees(TokenKind.Operator, "(")) value = new Call(value, Arguments(), at);
            else return value;
        }
    }

    private Filtered Filter(Expression value)
    {
        var name = Expect(TokenKind.Name, "a filter's name");
        var filter = FilterTable.Find(name.Text) ?? throw Fail(name.At, FilterTable.NotImplemented(name.Text));
        var arguments = Sees(TokenKind.Operator, "(") ? Arguments() : CallArguments.None;
        Check(filter, arguments, name.At);
        // Filters that apply another filter or test to elements name it in a text, mostly one that is written out.
        if (FilterOfElements(name.Text) && arguments.Positional is [Literal { Value: string inner } first, ..] && FilterTable.Find(inner) is null) throw Fail(first.At, FilterTable.NotImplemented(inner));
        if (TestOfElements(name.Text, arguments) is Literal { Value: string test } second && TestTable.Find(test) is null) throw Fail(second.At, TestTable.NotImplemented(test));
        return new(value, filter, arguments, name.At);
    }

    private static bool FilterOfElements(string filter) => filter == "map";

    private static Expression? TestOfElements(string filter, CallArguments arguments) => filter switch
    {
        "select" or "reject" => arguments.Positional.ElementAtOrDefault(0),
        "selectattr" or "rejectattr" => arguments.Positional.ElementAtOrDefault(1),
        _ => null,
    };

    private Tested Test(Expression value)
    {
        var negated = TryTakeName("not");
        var name = Expect(TokenKind.Name, "a test's name");
        var test = TestTable.Find(name.Text) ?? throw Fail(name.At, TestTable.NotImplemented(name.Text));
        var arguments = CallArguments.None;
        if (Sees(TokenKind.Operator, "(")) arguments = Arguments();
        else if (BeginsArgument())
        {
            // One argument needs no parentheses: x is divisibleby 3.
            Enter();
            arguments = new([Suffixes(Primary())], []);
            Leave();
        }

        Check(test, arguments, name.At);
        if (SeesName("is")) throw Fail(Current.At, "a test behind a test is not implemented; use 'and'");
        return new(value, test, arguments, negated, name.At);
    }

    private bool BeginsArgument() => Current.Kind switch
    {
        // Jinja takes any other word for one, 'if' and 'in' among them, and so refuses them here.
        TokenKind.Name => Current.Text is not ("and" or "or" or "else" or "is"),
        TokenKind.String or TokenKind.Number => true,
        TokenKind.Operator => Current.Text is "[" or "{",
        _ => false,
    };

    private static void Check(Builtin builtin, CallArguments arguments, Place at)
    {
        if (builtin.Mistake(arguments.Positional.Length, arguments.Named.Select(argument => argument.Name)) is { } mistake) throw Fail(at, mistake);
    }
}
