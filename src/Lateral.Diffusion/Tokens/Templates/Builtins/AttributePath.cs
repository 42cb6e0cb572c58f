using System.Globalization;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>What <c>attribute='a.b.0'</c> means: keys and positions, one inside the other.</summary>
internal sealed class AttributePath
{
    private readonly object[] _parts;

    private AttributePath(object[] parts) => _parts = parts;

    public static AttributePath At(long position) => new([position]);

    public static AttributePath Of(object attribute, Site site) => attribute switch
    {
        string path when path.Contains(',', StringComparison.Ordinal) => throw site.Fail("several attributes at once are not implemented"),
        string path => new([.. site.Made(path).Split('.').Select(part => long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? (object)position : part)]),
        _ when Numbers.Of(attribute) is long position => At(position),
        _ => throw site.Fail($"an attribute is a text or an integer, and not {Kinds.Of(attribute)}"),
    };

    /// <param name="absent">what stands for whatever is not there, on the way too; null = nothing does</param>
    public object Follow(object value, Site site, object? absent = null)
    {
        foreach (var part in _parts)
        {
            site.Step();
            value = Members.Item(value, part, site);
            if (value is Undefined && absent is not null) value = absent;
        }

        return value;
    }
}
