using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Tokens;

/// <summary>The tokenizer of a model that is trained from nothing and has to read any text: one token a byte of its UTF-8, one that ends a text, one for MASK.</summary>
public static class ByteVocabulary
{
    public const int End = 256, Mask = 257, Size = 258;

    /// <summary>As a tokenizer.json, which other tools read, too.</summary>
    public static string Json()
    {
        var vocabulary = new JsonObject();
        for (var value = 0; value < 256; value++) vocabulary[ByteAlphabet.Of((byte)value).ToString()] = value;
        static JsonObject Added(int id, string content) => new()
        {
            ["id"] = id,
            ["content"] = content,
            ["single_word"] = false,
            ["lstrip"] = false,
            ["rstrip"] = false,
            ["normalized"] = false,
            ["special"] = true,
        };
        var root = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray(Added(End, "<|endoftext|>"), Added(Mask, "<|mask|>")),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = false, ["use_regex"] = false },
            ["post_processor"] = null,
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = false, ["use_regex"] = false },
            ["model"] = new JsonObject { ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null, ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
        };
        return root.ToJsonString() + "\n";
    }
}
