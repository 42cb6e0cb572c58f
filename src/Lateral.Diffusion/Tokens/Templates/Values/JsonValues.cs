using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>JSON as the values that Python would read it to: a number with a point or an exponent is a float, any other an integer.</summary>
internal static class JsonValues
{
    /// <param name="where">what messages call it</param>
    /// <param name="nesting">how deep lists and objects may lie in one another</param>
    public static object Of(JsonNode? node, string where, int nesting)
    {
        if (nesting < 0) throw new TemplateException($"{where} is nested too deeply");
        switch (node)
        {
            case null:
                return None.Value;
            case JsonArray array:
                return new Sequence(SequenceKind.List, [.. array.Select(item => Of(item, where, nesting - 1))]);
            case JsonObject members:
                var mapping = new Mapping();
                foreach (var (name, value) in members) mapping.Add(name, Of(value, where, nesting - 1));
                return mapping;
            default:
                return Scalar((JsonValue)node, where);
        }
    }

    private static object Scalar(JsonValue value, string where)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            case JsonValueKind.Null: return None.Value;
            case JsonValueKind.String: return value.TryGetValue<string>(out var known) ? known : value.Deserialize<string>()!;
        }

        // A float of this program is one, though JSON would write 1 for 1.0.
        if (!value.TryGetValue<JsonElement>(out _))
        {
            if (value.TryGetValue<double>(out var real)) return real;
            if (value.TryGetValue<float>(out var single)) return (double)single;
        }

        var text = value.ToJsonString();
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) return whole;
        if (text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0 && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) return number;
        throw new TemplateException($"{where} has the number {text}, which does not fit into 64 bits");
    }
}
