using System.Runtime.CompilerServices;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>
/// Counts what one rendering uses. Everything that takes time or memory in proportion to a template's wishes asks here before it begins: steps and characters made are never more than the limits.
/// </summary>
internal sealed class Meter(TemplateLimits limits)
{
    private long _steps;
    private long _characters;
    private int _depth;

    public void Step(Place at, long count = 1)
    {
        // The other way round the sum could overflow.
        if (count > limits.Steps - _steps) throw Over(at, $"rendering takes more than {limits.Steps} steps");
        _steps += count;
    }

    public void Characters(Place at, long count)
    {
        if (count > limits.Characters - _characters) throw Over(at, $"rendering makes and reads more than {limits.Characters} characters");
        _characters += count;
    }

    public void Enter(Place at)
    {
        Step(at);
        if (++_depth > limits.Depth || !RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Over(at, $"evaluation is nested deeper than {limits.Depth}", "; a macro that calls itself without end does that");
    }

    public void Leave() => _depth--;

    public void Nested(Place at, int depth)
    {
        if (depth > limits.Nesting) throw Over(at, $"a value is nested deeper than {limits.Nesting}");
    }

    private static TemplateException Over(Place at, string message, string why = "") => new($"{message}, which is the limit{why}", at.Line, at.Column);
}

/// <summary>Where something is evaluated, and what it may still use.</summary>
internal readonly record struct Site(Meter Meter, Place At)
{
    public TemplateException Fail(string message) => new(message, At.Line, At.Column);

    public void Step(long count = 1) => Meter.Step(At, count);

    public void Characters(long count) => Meter.Characters(At, count);

    /// <summary>
    /// A search of a text for another. It takes time in proportion to the text, but for texts that nearly match everywhere: then the pattern's length is a factor, of which a part as wide as a register counts
    /// once.
    /// </summary>
    public void Search(int text, int pattern) => Characters(pattern > text ? 1 : (long)text * (1 + (pattern / 64)));

    /// <summary>A text that was made; for those that are no longer than what made them.</summary>
    public string Made(string text)
    {
        Characters(text.Length);
        return text;
    }

    public Sequence List(IReadOnlyList<object> items) => Sequence(SequenceKind.List, items);

    public Sequence Sequence(SequenceKind kind, IReadOnlyList<object> items)
    {
        Step(items.Count);
        var sequence = new Sequence(kind, items);
        Meter.Nested(At, sequence.Depth);
        return sequence;
    }

    /// <summary>What a dictionary has under a key; null = nothing. A long text takes long to look up.</summary>
    public object? Get(Mapping mapping, object key)
    {
        if (key is string text) Characters(text.Length);
        return mapping.Get(key);
    }

    /// <summary>The same where a key is asked for by name, and what can be none is a mistake.</summary>
    public object? GetKey(Mapping mapping, object key) =>
        key is Mapping or Sequence { Kind: SequenceKind.List } ? throw Fail($"{Kinds.Of(key)} cannot be a key; texts, numbers, booleans and none can") : Get(mapping, key);

    public Mapping Dictionary(IEnumerable<(object Key, object Value)> entries)
    {
        var mapping = new Mapping();
        foreach (var (key, value) in entries)
        {
            Step();
            if (key is string text) Characters(text.Length);
            if (!Mapping.IsKey(key)) throw Fail($"{Kinds.Of(key)} cannot be a key; texts, numbers, booleans and none can");
            mapping.Add(key, value);
        }

        Meter.Nested(At, mapping.Depth);
        return mapping;
    }
}
