using System.Text.Json.Nodes;
using Lateral.Diffusion.Tokens.Templates;

namespace Lateral.Tests.Diffusion;

/// <summary>The cases of Golden/template-cases.json and chat-templates.json with what two other implementations write for them; null = they refuse.</summary>
internal sealed record GoldenTemplate(string Name, string Template, JsonObject Variables, string? Python, string? PythonMistake, string? HuggingFace);

internal static class GoldenTemplates
{
    public static readonly TimeProvider Clock = new FixedClock();

    private static readonly JsonObject Cases = Read("template-cases.json"), Chat = Read("chat-templates.json"), Python = Read("templates-python.json"), HuggingFace = Read("templates-huggingface.json");

    public static JsonObject Tokens => Chat["tokens"]!.AsObject();

    public static IReadOnlyDictionary<string, string> ChatTemplates { get; } = Chat["templates"]!.AsObject().ToDictionary(pair => pair.Key, pair => string.Join('\n', pair.Value!.AsArray().Select(line => (string)line!)));

    public static JsonObject Conversation(string name) => Chat["conversations"]![name]!.AsObject();

    public static IReadOnlyList<GoldenTemplate> OfCases { get; } =
    [
        .. Cases["cases"]!.AsArray().Select((template, place) => Made((string)template!, (string)template!, Cases["variables"]!.AsObject(), Python["cases"]![place], HuggingFace["cases"]![place])),
    ];

    public static IReadOnlyList<GoldenTemplate> OfChat { get; } =
    [
        .. from template in ChatTemplates
           from conversation in Chat["conversations"]!.AsObject()
           from prompt in (bool[])[false, true]
           let name = $"{template.Key} / {conversation.Key} / {(prompt ? "prompt" : "none")}"
           select Made(name, template.Value, ChatVariables(conversation.Value!.AsObject(), prompt), Python["chat"]![name], HuggingFace["chat"]![name]),
    ];

    /// <summary>What the template writes here; null = it is refused.</summary>
    public static string? Written(GoldenTemplate golden, out TemplateException? refusal)
    {
        refusal = null;
        try
        {
            return Template.Parse(golden.Template).Render(Values(golden.Variables), Clock);
        }
        catch (TemplateException mistake)
        {
            refusal = mistake;
            return null;
        }
    }

    public static IEnumerable<KeyValuePair<string, object>> Values(JsonObject variables) => variables.Select(pair => KeyValuePair.Create(pair.Key, JsonValues.Of(pair.Value, pair.Key, 100)));

    private static GoldenTemplate Made(string name, string template, JsonObject variables, JsonNode? python, JsonNode? huggingFace) =>
        new(name, template, variables, Text(python), python is JsonObject mistake ? (string)mistake["error"]! : null, Text(huggingFace));

    private static string? Text(JsonNode? node) => node is JsonValue text ? (string)text! : null;

    private static JsonObject ChatVariables(JsonObject conversation, bool prompt)
    {
        var variables = new JsonObject { ["tools"] = null, ["documents"] = null };
        foreach (var (name, value) in Tokens.Concat(conversation)) variables[name] = value?.DeepClone();
        variables["add_generation_prompt"] = prompt;
        return variables;
    }

    private static JsonObject Read(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Tokens", "Golden", name)))!.AsObject();

    // The one of make-templates.py.
    private sealed class FixedClock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 3, 4, 15, 6, 7, TimeSpan.Zero);
    }
}
