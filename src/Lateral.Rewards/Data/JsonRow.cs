using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Lateral.Core.Prompts;

namespace Lateral.Rewards.Data;

/// <summary>A row of a data file: one object, whose values are asked for by name, a dot leading into an object; every mistake names its line and column.</summary>
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

    public bool Has(string name) => Find(name) is not null;

    /// <summary>The first of these that the row has.</summary>
    /// <exception cref="DataException">the row has none of these values, or the first that it has is no text</exception>
    public string Text(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Find(name) is { } value) return Read(name, value);
        }

        throw Missing(string.Join("' or '", names.ToArray()));
    }

    /// <summary>As the file writes it, a text, a number or a truth value.</summary>
    /// <exception cref="DataException">the row has no such value, or it is a list or an object</exception>
    public string Name(string name) => Find(name) is { ValueKind: JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False } value ? value.GetRawText() : Text(name);

    /// <summary>Null where the row has no such list.</summary>
    public IReadOnlyList<string>? Texts(string name) => Find(name) is { ValueKind: JsonValueKind.Array } value ? [.. value.EnumerateArray().Select(item => Read(name, item))] : null;

    /// <summary>A list of <c>{role, content}</c>; null where the value is a text.</summary>
    /// <exception cref="DataException">there is no such value, or it is neither</exception>
    public ImmutableArray<Turn>? Turns(string name)
    {
        if (Find(name) is not { } value) throw Missing(name);
        if (value.ValueKind == JsonValueKind.String) return null;
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0) throw Wrong(name, $"'{name}' is a JSON {value.ValueKind}", "it is a text or a list of messages");
        return [.. value.EnumerateArray().Select(turn => new Turn(Part(turn, "role"), Part(turn, "content")))];

        string Part(JsonElement turn, string part) =>
            turn.ValueKind == JsonValueKind.Object && turn.TryGetProperty(part, out var text) ? Read($"{name}.{part}", text) : throw Wrong(name, $"a message of '{name}' has no {part}", "messages are {role, content}");
    }

    /// <summary>A mistake in one of the row's values.</summary>
    public DataException Wrong(string name, string what, string why) => _line.Wrong(Column(name), what, why, $"write {_example}");

    /// <summary>Null where the row has no such field.</summary>
    /// <exception cref="DataException">it is no number</exception>
    public double? Number(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : throw Wrong(name, $"'{name}' is {value.GetRawText()}", "it is a number");
    }

    public void Dispose() => _document.Dispose();

    private JsonElement? Find(string name)
    {
        // A column may have a dot in its own name.
        if (_document.RootElement.TryGetProperty(name, out var own)) return Known(own);
        var at = _document.RootElement;
        foreach (var part in name.Split('.'))
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(part, out at)) return null;
        }

        return Known(at);
    }

    private static JsonElement? Known(JsonElement value) => value.ValueKind == JsonValueKind.Null ? null : value;

    private DataException Missing(string names)
    {
        var has = string.Join(", ", _document.RootElement.EnumerateObject().Select(property => property.Name));
        return _line.Wrong(1, $"has no '{names}'", $"its fields are {{{has}}}", $"write {_example}");
    }

    private string Read(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) throw Wrong(name, $"'{name}' is a JSON {value.ValueKind}", "it is a string");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong(name, $"'{name}' is not text", "it escapes half of a surrogate pair");
        }
    }

    /// <summary>Of the value's name in the line: looked for only when something is wrong with it.</summary>
    private int Column(string name)
    {
        var top = name.Split('.')[0];
        if (_line.Columns is { } columns) return columns.GetValueOrDefault(top, 1);
        var bytes = Encoding.UTF8.GetBytes(_line.Text);
        var reader = new Utf8JsonReader(bytes);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.GetString() == top)
                return Encoding.UTF8.GetCharCount(bytes.AsSpan(0, (int)reader.TokenStartIndex)) + 1;
        }

        return 1;
    }
}
