namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>The variable <c>loop</c>: where a loop is.</summary>
internal sealed class Loop(IReadOnlyList<object> elements)
{
    private int _index;

    public void MoveTo(int index) => _index = index;

    public object Get(string name, Site site) => name switch
    {
        "index" => _index + 1L,
        "index0" => (long)_index,
        "revindex" => (long)(elements.Count - _index),
        "revindex0" => elements.Count - _index - 1L,
        "first" => _index == 0,
        "last" => _index == elements.Count - 1,
        "length" => (long)elements.Count,
        "depth" => 1L,
        "depth0" => 0L,
        "previtem" => _index > 0 ? elements[_index - 1] : new Undefined("there is no previous item"),
        "nextitem" => _index + 1 < elements.Count ? elements[_index + 1] : new Undefined("there is no next item"),
        "cycle" => new Function("loop.cycle", Cycle),
        "changed" => throw site.Fail("loop.changed is not implemented; compare with loop.previtem"),
        _ => new Undefined($"a loop has no '{name}'"),
    };

    private object Cycle(Site site, Arguments arguments)
    {
        if (arguments.Positional.Count == 0 || arguments.Named.Count > 0) throw site.Fail("loop.cycle takes the values to choose from");
        return arguments.Positional[_index % arguments.Positional.Count];
    }
}
