using System.Collections.Immutable;
using System.Text.Json;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>What a model's directory says of its chat template.</summary>
/// <param name="Source">where the template stands, for messages</param>
internal sealed record ChatTemplateFiles(string Template, string Source, ImmutableDictionary<string, string> SpecialTokens)
{
    private const string TemplateFile = "chat_template.jinja", ConfigurationFile = "tokenizer_config.json";

    // A configuration lists its added tokens too, and some have thousands.
    private const long MostBytes = 64L << 20;

    private static readonly string[] TokenKeys = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    public static ChatTemplateFiles Read(string directory, TemplateLimits limits) => Find(directory, limits)
        ?? throw new TemplateException($"'{directory}' has no chat template: there is neither a file {TemplateFile} nor a chat_template in {ConfigurationFile}; put the model's template there as {TemplateFile}");

    /// <summary>The same; null where the directory has no template.</summary>
    public static ChatTemplateFiles? Find(string directory, TemplateLimits limits)
    {
        var (template, configuration) = (Path.Combine(directory, TemplateFile), Path.Combine(directory, ConfigurationFile));
        using var document = File.Exists(configuration) ? Parsed(configuration) : null;
        var tokens = document is null ? ImmutableDictionary<string, string>.Empty : TokensOf(document.RootElement, configuration);
        // A character has four bytes at most.
        if (File.Exists(template)) return new(File.ReadAllText(Bounded(template, 4L * limits.Length)), $"'{template}'", tokens);
        return document is not null && FromConfiguration(document.RootElement, configuration) is { } found ? new(found, $"'{configuration}', chat_template", tokens) : null;
    }

    private static string Bounded(string path, long most) => new FileInfo(path).Length <= most ? path : throw new TemplateException($"'{path}' has more than {most} bytes");

    private static JsonDocument Parsed(string path)
    {
        try
        {
            var document = JsonDocument.Parse(File.ReadAllBytes(Bounded(path, MostBytes)), new JsonDocumentOptions { MaxDepth = 64 });
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
        }
        catch (JsonException mistake)
        {
            throw new TemplateException($"'{path}' is no JSON: {mistake.Message}", cause: mistake);
        }

        throw new TemplateException($"'{path}' is no JSON object");
    }

    private static string? FromConfiguration(JsonElement root, string path)
    {
        if (!root.TryGetProperty("chat_template", out var template) || template.ValueKind == JsonValueKind.Null) return null;
        if (template.ValueKind == JsonValueKind.String) return Text(template, path);
        if (template.ValueKind != JsonValueKind.Array) throw new TemplateException($"'{path}': chat_template is neither a text nor a list of templates with names");
        var names = new List<string>();
        foreach (var named in template.EnumerateArray())
        {
            if (named.ValueKind != JsonValueKind.Object || !IsText(named, "name", out var name) || !IsText(named, "template", out var text)) throw new TemplateException($"'{path}': a template of the list chat_template has no name or no template");
            names.Add(Text(name, path));
            if (names[^1] == "default") return Text(text, path);
        }

        throw new TemplateException($"'{path}': none of the templates in chat_template is named default; there are {string.Join(", ", names)}");
    }

    private static ImmutableDictionary<string, string> TokensOf(JsonElement root, string path)
    {
        var tokens = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var key in TokenKeys)
        {
            if (!root.TryGetProperty(key, out var token) || token.ValueKind == JsonValueKind.Null) continue;
            if (token.ValueKind == JsonValueKind.String) tokens[key] = Text(token, path);
            else if (token.ValueKind == JsonValueKind.Object && IsText(token, "content", out var content)) tokens[key] = Text(content, path);
            else throw new TemplateException($"'{path}': {key} is neither a text nor an object with a text 'content'");
        }

        return tokens.ToImmutable();
    }

    private static bool IsText(JsonElement element, string key, out JsonElement value) => element.TryGetProperty(key, out value) && value.ValueKind == JsonValueKind.String;

    private static string Text(JsonElement element, string path)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException mistake)
        {
            throw new TemplateException($"'{path}' has a text that is no Unicode: {mistake.Message}", cause: mistake);
        }
    }
}
