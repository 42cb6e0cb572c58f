using System.Text.Json;

namespace Lateral.Rewards.Data;

/// <summary>A line of a JSONL file: one object, whose texts are asked for by name; every mistake names its line.</summary>
internal sealed class JsonRow : IDisposable
{
    private readonly DataLine _line;
    private readonly string _example;
    private readonly JsonDocument _document;

    private JsonRow(DataLine line, string example, JsonDocument document) => (_line, _example, _document) = (line, example, document);

    /// <param name="example">a right row, for whoever wrote a wrong one</param>
    /// <exception cref="DataException">the line is no JSON object</exception>
    public static JsonRow Of(DataLine line, string example)
    {
        try
        {
            var document = JsonDocument.Parse(line.Text);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return new(line, example, document);
            using (document) throw line.Wrong(1, $"is a JSON {document.RootElement.ValueKind}", "a row is an object", $"write {example}");
        }
        catch (JsonException e)
        {
            throw line.Wrong((int)(e.BytePositionInLine ?? 0) + 1, "is not valid JSON", "a row is one JSON object", $"write {example}");
        }
    }

    /// <exception cref="DataException">the row has none of these fields, or the first that it has is no string</exception>
    public string Text(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (_document.RootElement.TryGetProperty(name, out var value)) return Read(name, value);
        }

        var has = string.Join(", ", _document.RootElement.EnumerateObject().Select(property => property.Name));
        throw _line.Wrong(1, $"has no '{string.Join("' or '", names.ToArray())}'", $"its fields are {{{has}}}", $"write {_example}");
    }

    /// <summary>As the file writes it, a string or a number.</summary>
    /// <exception cref="DataException">the row has no such field</exception>
    public string Name(string name) => _document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetRawText() : Text(name);

    /// <summary>Null where the row has no such list.</summary>
    public IReadOnlyList<string>? Texts(string name) =>
        _document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(item => Read(name, item))] : null;

    public bool Has(string name) => _document.RootElement.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>Null where the row has no such field.</summary>
    /// <exception cref="DataException">it is no number</exception>
    public double? Number(string name)
    {
        if (!Has(name)) return null;
        var value = _document.RootElement.GetProperty(name);
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : throw _line.Wrong(1, $"'{name}' is {value.GetRawText()}", "it is a number", $"write {_example}");
    }

    /// <summary>Null where the row has no such list.</summary>
    /// <exception cref="DataException">an item is no chat message with a role and a text</exception>
    public List<(string Role, string Content)>? Messages(string name)
    {
        if (!_document.RootElement.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.Array) return null;
        return [.. value.EnumerateArray().Select(item => (Part(item, "role"), Part(item, "content")))];

        string Part(JsonElement item, string part) => item.ValueKind == JsonValueKind.Object && item.TryGetProperty(part, out var text)
            ? Read($"{name}.{part}", text)
            : throw _line.Wrong(1, $"'{name}' has an item that is no message", $"it has no '{part}'", """write {"role": "assistant", "content": "..."}""");
    }

    public void Dispose() => _document.Dispose();

    private string Read(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) throw _line.Wrong(1, $"'{name}' is a JSON {value.ValueKind}", "it is a string", $"write {_example}");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw _line.Wrong(1, $"'{name}' is not text", "it escapes half of a surrogate pair", $"write {_example}");
        }
    }
}
