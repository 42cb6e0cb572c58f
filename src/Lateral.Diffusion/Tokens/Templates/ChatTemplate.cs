using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>
/// A model's chat template: a conversation to the text that the model was trained with. The text has the special tokens that the template writes, a conversation's first token among them and only once however
/// many turns it has: it is to be encoded without adding any (<c>Encode(text, special: false)</c>). Safe on any thread.
/// </summary>
public sealed class ChatTemplate
{
    private readonly Template _template;
    private readonly IReadOnlyDictionary<string, string> _specialTokens;
    private readonly TemplateLimits _limits;
    private readonly TimeProvider? _clock;
    private readonly string _source;

    private ChatTemplate(Template template, IReadOnlyDictionary<string, string> specialTokens, TemplateLimits limits, TimeProvider? clock, string source) =>
        (_template, _specialTokens, _limits, _clock, _source) = (template, specialTokens, limits, clock, source);

    /// <summary>The template of a model's directory: <c>chat_template.jinja</c>, or else <c>chat_template</c> in <c>tokenizer_config.json</c>, of several the one named <c>default</c>.</summary>
    /// <param name="clock">null = a template that asks for the date is refused when it does</param>
    /// <exception cref="TemplateException">there is no template, it is none, or it asks for something that is not implemented</exception>
    public static ChatTemplate Read(string directory, TimeProvider? clock = null, TemplateLimits? limits = null) => Of(ChatTemplateFiles.Read(directory, limits ?? TemplateLimits.Default), clock, limits);

    /// <summary>The same; null where the directory has no template.</summary>
    /// <exception cref="TemplateException">there is one, and it is none or asks for something that is not implemented</exception>
    public static ChatTemplate? Find(string directory, TimeProvider? clock = null, TemplateLimits? limits = null) =>
        ChatTemplateFiles.Find(directory, limits ?? TemplateLimits.Default) is { } files ? Of(files, clock, limits) : null;

    /// <param name="specialTokens">the variables <c>bos_token</c>, <c>eos_token</c> and so on</param>
    /// <param name="source">what messages call it</param>
    /// <inheritdoc cref="Read"/>
    public static ChatTemplate Parse(string template, IReadOnlyDictionary<string, string>? specialTokens = null, TimeProvider? clock = null, TemplateLimits? limits = null, string source = "the chat template")
    {
        try
        {
            return new(Template.Parse(template, limits), specialTokens ?? new Dictionary<string, string>(StringComparer.Ordinal), limits ?? TemplateLimits.Default, clock, source);
        }
        catch (TemplateException mistake)
        {
            throw mistake.In(source);
        }
    }

    /// <summary>
    /// The conversation's text. Some published templates (LLaDA's among them) write the header of the next answer whatever <paramref name="addGenerationPrompt"/> says; behind a conversation that ends in an
    /// assistant's message and wants no further one that header is cut off again, so that a finished answer can be learned from.
    /// </summary>
    /// <param name="addGenerationPrompt">end with the header of an assistant's message, for the model to write it</param>
    /// <param name="variables">what else the template asks for, such as <c>enable_thinking</c> and <c>tools</c></param>
    /// <exception cref="TemplateException">the template refuses the conversation, goes over a limit, or asks of a value what it cannot do</exception>
    /// <exception cref="ArgumentException">a variable has a name that is taken</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, IReadOnlyDictionary<string, JsonNode?>? variables = null)
    {
        try
        {
            var text = Written(messages, addGenerationPrompt, variables);
            if (addGenerationPrompt || messages is not [.., { Role: "assistant" }] || text != Written(messages, true, variables)) return text;
            // The template does not ask what is wanted: it writes a header always, or never.
            var header = TrailingHeader.Of(conversation => Written(conversation, false, variables), _specialTokens.GetValueOrDefault("bos_token"));
            return text.EndsWith(header, StringComparison.Ordinal) ? text[..^header.Length] : throw TrailingHeader.Unknown();
        }
        catch (TemplateException mistake)
        {
            throw mistake.In(_source);
        }
    }

    private static ChatTemplate Of(ChatTemplateFiles files, TimeProvider? clock, TemplateLimits? limits) => Parse(files.Template, files.SpecialTokens, clock, limits, files.Source);

    private string Written(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, IReadOnlyDictionary<string, JsonNode?>? variables)
    {
        // Templates of many libraries ask whether there are tools or documents by comparing with none.
        var values = new Dictionary<string, object>(StringComparer.Ordinal) { ["tools"] = None.Value, ["documents"] = None.Value };
        foreach (var (name, token) in _specialTokens) values[name] = token;
        foreach (var (name, value) in variables ?? new Dictionary<string, JsonNode?>(StringComparer.Ordinal))
        {
            if (name is "messages" or "add_generation_prompt") throw new ArgumentException($"the variable '{name}' is an argument of its own", nameof(variables));
            values[name] = JsonValues.Of(value, $"the variable '{name}'", _limits.Nesting);
        }

        values["messages"] = new Sequence(SequenceKind.List, [.. messages.Select((message, place) => Values(message, $"message {place}"))]);
        values["add_generation_prompt"] = addGenerationPrompt;
        return _template.Render(values, _clock);
    }

    private Mapping Values(ChatMessage message, string where)
    {
        var values = new Mapping();
        values.Add("role", message.Role);
        values.Add("content", (object?)message.Content ?? None.Value);
        foreach (var (name, value) in message.More ?? new JsonObject()) values.Add(name, JsonValues.Of(value, where, _limits.Nesting));
        return values;
    }
}
