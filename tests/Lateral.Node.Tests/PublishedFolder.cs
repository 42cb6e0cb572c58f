using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lateral.Diffusion.Models;

namespace Lateral.Node.Tests;

/// <summary>A tiny model's directory in the layout of published ones: configuration, random weights, a tokenizer of bytes, a chat template.</summary>
internal static class PublishedFolder
{
    public const int EndOfText = 256, Mask = 257, TurnBegin = 258, TurnEnd = 259, Vocabulary = 260;

    private const string Template = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    public static string Create(string folder, Func<TransformerSpec, TransformerSpec>? family = null, bool chat = true)
    {
        Directory.CreateDirectory(folder);
        var spec = new TransformerSpec(32, 2, 2, 64, Vocabulary, 256, 1e-5, 10_000, Mask, EndOfText, EndOfText);
        spec = (family?.Invoke(spec) ?? spec).Checked();
        File.WriteAllText(Path.Combine(folder, ModelStore.ConfigFile), ModelFamilies.Format(spec));
        File.WriteAllBytes(Path.Combine(folder, ModelStore.WeightsFile), Weights(spec));
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), Tokenizer().ToJsonString());
        if (chat) File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), new JsonObject { ["eos_token"] = "<|endoftext|>", ["chat_template"] = Template }.ToJsonString());
        return folder;
    }

    private static byte[] Weights(TransformerSpec spec)
    {
        var (random, header, data) = (new Random(7), new JsonObject(), new MemoryStream());
        foreach (var (name, shape) in ModelStore.Shapes(spec))
        {
            var begin = data.Length;
            var values = new float[shape.Aggregate(1L, (product, side) => product * side)];
            for (var i = 0; i < values.Length; i++) values[i] = shape.Length == 1 ? 1 : (float)((random.NextDouble() - .5) / Math.Sqrt(shape[^1]) * 4);
            data.Write(MemoryMarshal.AsBytes<float>(values));
            header[name] = new JsonObject { ["dtype"] = "F32", ["shape"] = new JsonArray([.. shape.Select(side => (JsonNode)side)]), ["data_offsets"] = new JsonArray(begin, data.Length) };
        }

        var text = Encoding.UTF8.GetBytes(header.ToJsonString());
        return [.. BitConverter.GetBytes((long)text.Length), .. text, .. data.ToArray()];
    }

    private static JsonObject Tokenizer()
    {
        // The byte-level alphabet: what can be printed stands for itself, the rest is written behind U+0100.
        var (vocabulary, hidden) = (new JsonObject(), 0);
        for (var value = 0; value < 256; value++) vocabulary[((char)(value is >= 33 and <= 126 or >= 161 and <= 172 or >= 174 ? value : 256 + hidden++)).ToString()] = value;
        JsonObject Added(int id, string content) => new() { ["id"] = id, ["content"] = content, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = true };
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray(Added(EndOfText, "<|endoftext|>"), Added(Mask, "<|mdm_mask|>"), Added(TurnBegin, "<|im_start|>"), Added(TurnEnd, "<|im_end|>")),
            ["normalizer"] = new JsonObject { ["type"] = "NFC" },
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = false, ["use_regex"] = true },
            ["post_processor"] = null,
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null, ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
        };
    }
}
