using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Models;

/// <summary>
/// The kinds of models that can be read and written, by the <c>model_type</c> of their config.json. A setting that changes the mathematics and that is not implemented is refused by name: a model
/// that loads computes what its authors trained.
/// </summary>
public static class ModelFamilies
{
    internal const string Llada = "llada", TypeKey = "model_type";

    private const string Loop = "loop";

    /// <summary>Published ones have a few thousand; those with a table of languages or experts ten times as many.</summary>
    private const int MostBytes = 4 << 20;

    private static readonly IModelFamily[] All = [new LladaFamily(), new QwenFamily(blockwise: false), new QwenFamily(blockwise: true), new LladaMoeFamily(), new Llada2Family(), new MdlmFamily()];

    /// <summary>Reads a config.json.</summary>
    /// <param name="maskToken">what the model's tokenizer says; asked only where the configuration does not name the token</param>
    /// <exception cref="ModelException">The file is no configuration of a known kind, or asks for mathematics that is not implemented.</exception>
    public static TransformerSpec Read(string path, Func<int?>? maskToken = null)
    {
        try
        {
            if (new FileInfo(path).Length > MostBytes) throw new ModelException($"a configuration has at most {MostBytes} bytes");
            return Parse(File.ReadAllText(path), maskToken);
        }
        catch (Exception error) when (error is ModelException or IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"'{path}': {error.Message}", error);
        }
    }

    /// <inheritdoc cref="Read"/>
    public static TransformerSpec Parse(string json, Func<int?>? maskToken = null)
    {
        try
        {
            // What stands there twice was read by others as one or the other.
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Spec(document, maskToken);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second: a text with half of a surrogate pair.
            throw new ModelException($"it is no JSON that can be read: {ModelConfig.Shortened(error.Message, 200)}", error);
        }
    }

    private static TransformerSpec Spec(JsonDocument document, Func<int?>? maskToken)
    {
        if (document.RootElement.ValueKind != JsonValueKind.Object) throw new ModelException("a model configuration is a JSON object");
        var config = new ModelConfig(document.RootElement, maskToken);
        var type = config.Has(TypeKey) ? config.Text(TypeKey) : Llada;
        var family = All.FirstOrDefault(family => family.Types.Contains(type, StringComparer.Ordinal))
            ?? throw new ModelException($"{TypeKey} = \"{ModelConfig.Shortened(type)}\" is not implemented; these are: {string.Join(", ", All.SelectMany(family => family.Types))}");
        var spec = family.Read(config);
        // A key of ours in any family.
        if (config.Section(Loop) is { } loop)
        {
            spec = spec with { Loop = new(loop.Int("start"), loop.Int("end"), loop.Int("count")) };
            loop.RequireNothingElse();
        }

        config.RequireNothingElse();
        return spec.Checked();
    }

    /// <summary>The configuration as released models store it, so that other tools can load a model trained here.</summary>
    public static string Format(TransformerSpec spec)
    {
        var root = Of(spec).Write(spec);
        if (spec.Loop is { } loop) root[Loop] = new JsonObject { ["start"] = loop.Start, ["end"] = loop.End, ["count"] = loop.Count };
        return root.ToJsonString(new JsonSerializerOptions { WriteIndented = true, IndentSize = 1 }) + "\n";
    }

    internal static IModelFamily Of(TransformerSpec spec) => All.First(family => family.Types[0] == spec.Family);
}
