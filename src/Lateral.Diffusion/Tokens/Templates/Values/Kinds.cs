namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>What a value is, for messages, and whether it counts as true.</summary>
internal static class Kinds
{
    public static string Of(object value) => value switch
    {
        None => "none",
        bool => "a boolean",
        long => "an integer",
        double => "a float",
        string => "a text",
        Undefined => "undefined",
        Mapping => "a dictionary",
        Namespace => "a namespace",
        Sequence { Kind: SequenceKind.List } => "a list",
        Sequence { Kind: SequenceKind.Tuple } => "a tuple",
        Sequence { Kind: SequenceKind.Range } => "a range",
        Sequence => "a view of a dictionary",
        OneTime => "a one-time sequence (make it a list with '| list')",
        Loop => "a loop",
        Function function => function.Called,
        _ => throw new InvalidOperationException($"{value.GetType()} is no value of a template"),
    };

    public static bool IsTrue(object value) => value switch
    {
        bool flag => flag,
        None or Undefined => false,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        Sequence sequence => sequence.Items.Count > 0,
        Mapping mapping => mapping.Count > 0,
        // Namespaces, functions, and what is handed out once, even where nothing is: so it is where models were trained.
        _ => true,
    };
}
