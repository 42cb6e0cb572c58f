using System.Text.Json.Nodes;
using Lateral.Diffusion.Tokens.Templates;

namespace Lateral.Tests.Diffusion;

/// <summary>A model directory's chat template, and what is written for conversations with it.</summary>
public sealed class ChatTemplateTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("chat-template-");

    private static readonly Dictionary<string, string> Tokens = GoldenTemplates.Tokens.ToDictionary(pair => pair.Key, pair => (string)pair.Value!);

    public void Dispose() => _directory.Delete(recursive: true);

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(_directory.FullName, name), content);

    private string Refusal() => Assert.Throws<TemplateException>(() => ChatTemplate.Read(_directory.FullName)).Message.Replace(_directory.FullName + Path.DirectorySeparatorChar, "", StringComparison.Ordinal).Replace(_directory.FullName, "DIR", StringComparison.Ordinal);

    private static ChatTemplate Named(string name) => ChatTemplate.Parse(GoldenTemplates.ChatTemplates[name], Tokens, GoldenTemplates.Clock);

    private static IReadOnlyList<ChatMessage> Messages(JsonObject conversation) => [.. conversation["messages"]!.AsArray().Select(message =>
    {
        var fields = message!.DeepClone().AsObject();
        var (role, content) = ((string)fields["role"]!, fields["content"] as JsonValue);
        fields.Remove("role");
        if (content is not null) fields.Remove("content");
        return new ChatMessage(role, (string?)content, fields);
    })];

    private static Dictionary<string, JsonNode?> Variables(JsonObject conversation) => conversation.Where(pair => pair.Key != "messages").ToDictionary(pair => pair.Key, pair => pair.Value);

    private static readonly ChatMessage[] Finished = [new("user", "2 and 3?"), new("assistant", "5")];

    /// <summary>As the golden files have them, but where a finished conversation of the template that always writes a header ends without it.</summary>
    [Fact]
    public void Conversations_must_be_written_as_Jinja_writes_them()
    {
        const string Header = "<|start_header_id|>assistant<|end_header_id|>\n\n";
        var (compared, cut) = (0, 0);
        foreach (var golden in GoldenTemplates.OfChat.Where(golden => golden.Python is not null))
        {
            var parts = golden.Name.Split(" / ");
            var (conversation, prompt) = (GoldenTemplates.Conversation(parts[1]), parts[2] == "prompt");
            var messages = Messages(conversation);
            var expected = golden.Python!;
            if (parts[0] == "headers always" && !prompt && messages is [.., { Role: "assistant" }])
            {
                Assert.EndsWith(Header, expected, StringComparison.Ordinal);
                expected = expected[..^Header.Length];
                cut++;
            }

            Assert.Equal(expected, Named(parts[0]).Render(messages, prompt, Variables(conversation)));
            compared++;
        }

        Assert.InRange(compared, 120, 192);
        Assert.Equal(4, cut);
    }

    [Fact]
    public void Template_that_always_writes_a_header_must_end_a_finished_conversation_with_its_ending()
    {
        var template = Named("headers always");
        const string Turn = "<s><|start_header_id|>user<|end_header_id|>\n\n2 and 3?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";
        Assert.Equal(Turn, template.Render(Finished[..1], addGenerationPrompt: false));
        Assert.Equal(Turn, template.Render(Finished[..1], addGenerationPrompt: true));
        Assert.Equal(Turn + "5<|eot_id|>", template.Render(Finished, addGenerationPrompt: false));
        Assert.Equal(Turn + "5<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", template.Render(Finished, addGenerationPrompt: true));
        // The prompt of a conversation begins what the finished one is, as learning from the answer alone needs it.
        Assert.StartsWith(template.Render(Finished[..1], addGenerationPrompt: true), template.Render(Finished, addGenerationPrompt: false), StringComparison.Ordinal);
    }

    /// <summary>None of these asks for the prompt; H is a header, E the ending of every message, Z that of the whole.</summary>
    [Theory]
    [InlineData("{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}</e>{% endfor %}[assistant]", "<s>[user]2 and 3?</e>[assistant]5</e>")]
    [InlineData("{% for m in messages %}<{{ m.role }}>\n{{ m.content }}\n{% endfor %}{{ '<assistant>\n' }}", "<user>\n2 and 3?\n<assistant>\n5\n")]
    [InlineData("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{{ eos_token }}", "user: 2 and 3?\nassistant: 5\n</s>")]
    [InlineData("{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token if loop.last else '\n' }}{% endfor %}", "user: 2 and 3?\nassistant: 5</s>")]
    [InlineData("{% for m in messages %}{% if m.role == 'user' %}[Q]{{ m.content }}[/Q]{% else %}{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}", "[Q]2 and 3?[/Q]5</s>")]
    [InlineData("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}", "<user>2 and 3?<assistant>5")]
    [InlineData("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>", "<user>2 and 3?<assistant>5")]
    [InlineData("{% for m in messages %}{{ m.content }}|{% endfor %}", "2 and 3?|5|")]
    public void Header_behind_a_finished_conversation_must_be_told_from_its_ending(string template, string expected) =>
        Assert.Equal(expected, ChatTemplate.Parse(template, Tokens).Render(Finished, addGenerationPrompt: false));

    [Theory]
    [InlineData("<boot>{% for m in messages %}[{{ m.role }}]{{ m.content }}</e>{% endfor %}[assistant]")]
    [InlineData("{% for m in messages %}{% if messages | length > 2 %}{{ raise_exception('two at most') }}{% endif %}[{{ m.role }}]{{ m.content }}</e>{% endfor %}[assistant]")]
    public void Header_whose_beginning_cannot_be_told_must_be_refused(string template)
    {
        var refusal = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template).Render(Finished, addGenerationPrompt: false)).Message;
        Assert.StartsWith("the chat template: the template writes the same with and without add_generation_prompt", refusal, StringComparison.Ordinal);
        Assert.EndsWith("change it so that it asks for add_generation_prompt", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void First_token_must_be_written_once_however_many_turns_there_are()
    {
        ChatMessage[] turns = [.. Enumerable.Range(0, 7).Select(turn => new ChatMessage(turn % 2 == 0 ? "user" : "assistant", $"turn {turn}"))];
        Assert.All((string[])["headers always", "headers with date", "instruct"], name =>
        {
            var text = Named(name).Render(turns, addGenerationPrompt: true);
            Assert.StartsWith("<s>", text, StringComparison.Ordinal);
            Assert.Equal(2, text.Split("<s>").Length);
        });
    }

    [Fact]
    public void Template_file_must_come_before_the_configuration()
    {
        Write("tokenizer_config.json", """{"bos_token": {"content": "<b>", "lstrip": false}, "eos_token": "<e>", "pad_token": null, "add_bos_token": true, "chat_template": "configured {{ bos_token }}"}""");
        Assert.Equal("configured <b>", ChatTemplate.Read(_directory.FullName).Render([], false));
        Write("chat_template.jinja", "file {{ bos_token }}{{ eos_token }}{{ pad_token is defined }}\n");
        Assert.Equal("file <b><e>False", ChatTemplate.Read(_directory.FullName).Render([], false));
    }

    [Fact]
    public void Template_file_must_do_without_a_configuration()
    {
        Write("chat_template.jinja", "{{ messages[0].content }}{{ bos_token }}");
        Assert.Equal("hi", ChatTemplate.Read(_directory.FullName).Render([new("user", "hi")], false));
    }

    [Fact]
    public void Default_of_several_templates_must_be_taken()
    {
        Write("tokenizer_config.json", """{"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]}""");
        Assert.Equal("d", ChatTemplate.Read(_directory.FullName).Render([], false));
    }

    [Theory]
    [InlineData(null, "'DIR' has no chat template: there is neither a file chat_template.jinja nor a chat_template in tokenizer_config.json; put the model's template there as chat_template.jinja")]
    [InlineData("{}", "'DIR' has no chat template: there is neither a file chat_template.jinja nor a chat_template in tokenizer_config.json; put the model's template there as chat_template.jinja")]
    [InlineData("[]", "'tokenizer_config.json' is no JSON object")]
    [InlineData("""{"chat_template": 3}""", "'tokenizer_config.json': chat_template is neither a text nor a list of templates with names")]
    [InlineData("""{"chat_template": [{"name": "rag", "template": "t"}, {"name": "tool_use", "template": "t"}]}""", "'tokenizer_config.json': none of the templates in chat_template is named default; there are rag, tool_use")]
    [InlineData("""{"chat_template": ["t"]}""", "'tokenizer_config.json': a template of the list chat_template has no name or no template")]
    [InlineData("""{"chat_template": "t", "bos_token": 1}""", "'tokenizer_config.json': bos_token is neither a text nor an object with a text 'content'")]
    [InlineData("""{"chat_template": "a\n{{ x"}""", "'tokenizer_config.json', chat_template: line 2, column 1: the tag has no end; close it with '}}'")]
    public void Directory_without_a_template_must_be_told_what_is_missing(string? configuration, string expected)
    {
        if (configuration is not null) Write("tokenizer_config.json", configuration);
        Assert.Equal(expected, Refusal());
    }

    [Fact]
    public void Configuration_that_is_no_JSON_must_be_told_with_its_file()
    {
        Write("tokenizer_config.json", "{");
        Assert.StartsWith("'tokenizer_config.json' is no JSON: ", Refusal(), StringComparison.Ordinal);
        Write("tokenizer_config.json", """{"chat_template": "\ud800"}""");
        Assert.StartsWith("'tokenizer_config.json' has a text that is no Unicode: ", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Mistake_in_rendering_must_name_file_and_place()
    {
        Write("chat_template.jinja", "\n{{ messages[5].content }}");
        var mistake = Assert.Throws<TemplateException>(() => ChatTemplate.Read(_directory.FullName).Render([], false));
        Assert.Equal((2, 15, true), (mistake.Line, mistake.Column, mistake.Message.Contains("chat_template.jinja': line 2, column 15: a list has no element 5, and so it has no 'content'", StringComparison.Ordinal)));
    }

    [Fact]
    public void Variables_must_reach_the_template_as_Python_would_give_them()
    {
        var template = ChatTemplate.Parse("{{ [a, b, c, d, e, f] }} {{ tools is none }} {{ messages[0].reasoning_content }} {{ messages[0].content is none }}");
        var variables = new Dictionary<string, JsonNode?> { ["a"] = 1, ["b"] = 1.0, ["c"] = JsonNode.Parse("1.50"), ["d"] = "t", ["e"] = false, ["f"] = JsonNode.Parse("""{"k": [null, 1e2]}""") };
        Assert.Equal("[1, 1.0, 1.5, 't', False, {'k': [None, 100.0]}] True why True", template.Render([new("assistant", null, new JsonObject { ["reasoning_content"] = "why" })], true, variables));
    }

    [Fact]
    public void Variables_that_are_no_values_must_be_refused()
    {
        var template = ChatTemplate.Parse("{{ a }}");
        string Told(JsonNode? value) => Assert.Throws<TemplateException>(() => template.Render([], true, new Dictionary<string, JsonNode?> { ["a"] = value })).Message;
        Assert.Equal("the chat template: the variable 'a' has the number 123456789012345678901234567890, which does not fit into 64 bits", Told(JsonNode.Parse("123456789012345678901234567890")));
        JsonNode deep = new JsonArray();
        for (var i = 0; i < 200; i++) deep = new JsonArray(deep);
        Assert.Equal("the chat template: the variable 'a' is nested too deeply", Told(deep));
        Assert.StartsWith("the variable 'messages' is an argument of its own", Assert.Throws<ArgumentException>(() => template.Render([], true, new Dictionary<string, JsonNode?> { ["messages"] = 1 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Date_must_come_from_the_clock_that_is_given()
    {
        const string Dated = "{{ strftime_now('%d %b %Y') }}";
        Assert.Equal("04 Mar 2026", ChatTemplate.Parse(Dated, clock: GoldenTemplates.Clock).Render([], false));
        Assert.Contains("no clock was given", Assert.Throws<TemplateException>(() => ChatTemplate.Parse(Dated).Render([], false)).Message, StringComparison.Ordinal);
    }
}
