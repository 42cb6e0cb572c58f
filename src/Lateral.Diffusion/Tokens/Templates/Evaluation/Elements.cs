namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>What a loop over a value walks.</summary>
internal static class Elements
{
    /// <summary>The value can be walked.</summary>
    public static bool Has(object value) => value is string or Sequence or Mapping or OneTime or Undefined;

    /// <summary>Characters of a text, elements of a sequence, keys of a dictionary; of something undefined there are none. To walk them is paid for here.</summary>
    public static IReadOnlyList<object> Of(object value, Site site)
    {
        switch (value)
        {
            case string text:
                site.Step(text.Length);
                return CodePoints.Each(text);
            case Sequence sequence:
                site.Step(sequence.Items.Count);
                return sequence.Items;
            case Mapping mapping:
                site.Step(mapping.Count);
                return mapping.Keys;
            case OneTime oneTime:
                var rest = oneTime.TakeAll();
                site.Step(rest.Count);
                return rest;
            case Undefined:
                return [];
            default:
                throw site.Fail($"{Kinds.Of(value)} has no elements");
        }
    }

    /// <summary>How many there are, where that can be told without walking.</summary>
    public static long Count(object value, Site site) => value switch
    {
        string text => CodePoints.Count(site.Made(text)),
        Sequence sequence => sequence.Items.Count,
        Mapping mapping => mapping.Count,
        Undefined => 0,
        _ => throw site.Fail($"{Kinds.Of(value)} has no length"),
    };
}
