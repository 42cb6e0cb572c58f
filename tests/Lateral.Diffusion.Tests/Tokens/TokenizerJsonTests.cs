using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Lateral.Diffusion.Tokens;

namespace Lateral.Tests.Diffusion;

/// <summary>tokenizer.json against what the published code tokenizes, and against broken files.</summary>
public class TokenizerJsonTests
{
    // Bytes as tokens, and the merges l+l, ll+o: enough to see every flag.
    private static JsonObject Small(Action<JsonObject>? change = null)
    {
        var vocab = new JsonObject();
        for (var value = 0; value < 256; value++) vocab[ByteAlphabet.Of(value < 128 ? ((char)value).ToString() : "") is { Length: > 0 } own ? own : ByteCharacter(value)] = value;
        (vocab["ll"], vocab["llo"]) = (256, 257);
        var root = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray(),
            ["normalizer"] = new JsonObject { ["type"] = "NFC" },
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = false, ["use_regex"] = true },
            ["post_processor"] = null,
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null, ["vocab"] = vocab, ["merges"] = new JsonArray("l l", "ll o") },
        };
        change?.Invoke(root);
        return root;
    }

    private static string ByteCharacter(int value)
    {
        // A byte above 127 is only ever part of a character: take it out of one.
        for (var code = 0x80; code < 0x110000; code = code == 0xD7FF ? 0xE000 : code + 1)
        {
            var bytes = Encoding.UTF8.GetBytes(char.ConvertFromUtf32(code));
            if (Array.IndexOf(bytes, (byte)value) is >= 0 and var at) return ByteAlphabet.Of(char.ConvertFromUtf32(code))[at].ToString();
            if (code > 0x10FFF && value < 0xF1) break;
            if (code == 0x10FFF) code = 0x3FFFF;
        }

        return $"<{value}>";
    }

    private static BytePairTokenizer Read(JsonObject json) => TokenizerJson.Parse(Encoding.UTF8.GetBytes(json.ToJsonString()), maskId: 0, endId: null);

    private static JsonObject Token(int id, string content, params (string Flag, bool Value)[] flags)
    {
        var token = new JsonObject { ["id"] = id, ["content"] = content, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = true };
        foreach (var (flag, value) in flags) token[flag] = value;
        return token;
    }

    private static JsonObject Published => JsonNode.Parse(Golden("tiny-tokenizer.json"))!.AsObject();

    private static string Golden(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Tokens", "Golden", name));

    [Fact]
    public void Published_vocabulary_layout_must_tokenize_as_the_reference_does()
    {
        var tokenizer = Read(Published);
        using var cases = JsonDocument.Parse(Golden("tiny-cases.json"));
        Assert.Equal(1004, tokenizer.VocabularySize);
        Assert.Equal(40, cases.RootElement.GetProperty("cases").GetArrayLength());
        Assert.All(cases.RootElement.GetProperty("cases").EnumerateArray(), one =>
        {
            var (text, ids) = (one.GetProperty("text").GetString()!, one.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray());
            Assert.Equal(ids, tokenizer.Encode(text).ToArray());
            Assert.Equal(text.Normalize(NormalizationForm.FormC), tokenizer.Decode(ids, special: true));
        });
    }

    /// <summary>Random mixes of scripts, emoji, combining marks and special tokens, as an independent implementation has them (Golden/make-tokens.mjs).</summary>
    [Theory]
    [InlineData("published")]
    [InlineData("byte-level")]
    public void Random_texts_must_tokenize_as_another_implementation_does(string layout)
    {
        using var golden = JsonDocument.Parse(Golden("tokens.json"));
        var json = Published;
        if (golden.RootElement.GetProperty("layouts").GetProperty(layout) is { ValueKind: JsonValueKind.Object } changes)
        {
            foreach (var change in changes.EnumerateObject()) json[change.Name] = JsonNode.Parse(change.Value.GetRawText());
        }

        var tokenizer = Read(json);
        var texts = golden.RootElement.GetProperty("texts").EnumerateArray().Select(text => text.GetString()!).ToList();
        Assert.Equal(300, texts.Count);
        Assert.All(texts.Zip(golden.RootElement.GetProperty("ids").GetProperty(layout).EnumerateArray()), pair => Assert.Equal(pair.Second.EnumerateArray().Select(id => id.GetInt32()), tokenizer.Encode(pair.First)));
    }

    [Theory]
    [InlineData("a<m>b", "a|<m>|b")]
    [InlineData("a <m> b", "a| |<m>| |b")]
    [InlineData("a <l> b", "a|<l>| |b")]
    [InlineData("a <r>  b", "a| |<r>|b")]
    [InlineData("a <l> <r> b", "a|<l>| |<r>|b")]
    [InlineData("xw w", "x|w| |<w>")]
    [InlineData("<m><mm>", "<m>|<mm>")]
    [InlineData("hello", "h|e|llo")]
    public void Added_tokens_must_keep_to_their_flags(string text, string expected)
    {
        var tokenizer = Read(Small(root => root["added_tokens"] = new JsonArray(
            Token(300, "<m>"), Token(301, "<l>", ("lstrip", true)), Token(302, "<r>", ("rstrip", true)), Token(303, "w", ("single_word", true)), Token(304, "<mm>"))));
        string Name(int id) => id switch { 300 => "<m>", 301 => "<l>", 302 => "<r>", 303 => "<w>", 304 => "<mm>", _ => tokenizer.Decode([id]) };
        Assert.Equal(expected, string.Join('|', tokenizer.Encode(text).Select(Name)));
    }

    [Fact]
    public void Special_tokens_around_a_text_must_be_added_only_when_asked_for()
    {
        var tokenizer = Read(Small(root =>
        {
            root["added_tokens"] = new JsonArray(Token(300, "<s>"), Token(301, "</s>"));
            root["post_processor"] = JsonNode.Parse("""{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"</s>","type_id":0}}],"pair":[],"special_tokens":{}}""");
        }));
        Assert.Equal([104, 105], tokenizer.Encode("hi").ToArray());
        Assert.Equal([300, 104, 105, 301], tokenizer.Encode("hi", special: true).ToArray());
        Assert.Equal("hi", tokenizer.Decode([300, 104, 105, 301, 9999]));
        Assert.Equal("<s>hi</s>", tokenizer.Decode([300, 104, 105, 301], special: true));
        Assert.Equal(300, tokenizer.IdOf("<s>"));
        Assert.Null(tokenizer.IdOf("<unknown>"));
    }

    [Theory]
    [InlineData(@"\p{N}++", @"(?>\p{N}+)")]
    [InlineData(@"[^\r\n\p{L}]?+\p{L}+|\s*[\r\n]", @"(?>[^\r\n\p{L}]?)\p{L}+|\s*[\r\n]")]
    [InlineData(@"(?:ab|c)*+d", @"(?>(?:ab|c)*)d")]
    [InlineData(@" ?[^\s\p{L}\p{N}]++[\r\n]*", @" ?(?>[^\s\p{L}\p{N}]+)[\r\n]*")]
    [InlineData(@"a{2,3}+b+?\+", @"(?>a{2,3})b+?\+")]
    public void Possessive_quantifiers_must_become_atomic_groups(string pattern, string expected) => Assert.Equal(expected, SplitPattern.WithoutPossessives(pattern));

    [Fact]
    public void Characters_beyond_the_basic_plane_must_be_split_by_their_category()
    {
        // A mathematical letter, digit and an emoji: each is two characters in .NET and has to count as letter, number and symbol.
        var pattern = new SplitPattern(SplitPattern.ByteLevel);
        Assert.Equal(["a𝒳b", "𝟙2", "😀!"], pattern.Split("a𝒳b𝟙2😀!"));
    }

    [Theory]
    [InlineData("model.type WordPiece", "WordPiece", "model", "type")]
    [InlineData("normalizer Lowercase", "{\"type\":\"Lowercase\"}", "normalizer")]
    [InlineData("pre_tokenizer Metaspace", "{\"type\":\"Metaspace\"}", "pre_tokenizer")]
    [InlineData("post_processor BertProcessing", "{\"type\":\"BertProcessing\"}", "post_processor")]
    [InlineData("decoder WordPiece", "{\"type\":\"WordPiece\"}", "decoder")]
    [InlineData("behavior Removed", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":\"Removed\",\"invert\":false}", "pre_tokenizer")]
    [InlineData("cannot be run", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\",\"invert\":false}", "pre_tokenizer")]
    [InlineData("model.byte_fallback", "true", "model", "byte_fallback")]
    [InlineData("model.dropout", "0.1", "model", "dropout")]
    [InlineData("not understood: surprise", "3", "model", "surprise")]
    [InlineData("merge 0", "[\"l\"]", "model", "merges")]
    [InlineData("merge 1", "[\"l l\", \"l x\"]", "model", "merges")]
    [InlineData("the vocabulary is empty", "{}", "model", "vocab")]
    public void What_is_not_implemented_must_be_refused_by_name(string expected, string value, params string[] path)
    {
        var root = Small();
        var parent = path[..^1].Aggregate((JsonNode)root, (node, key) => node[key]!);
        parent[path[^1]] = value is "WordPiece" ? value : JsonNode.Parse(value);
        Assert.Contains(expected, Assert.Throws<TokenizerException>(() => Read(root)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_files_must_be_read_or_refused_and_nothing_else()
    {
        var sound = Encoding.UTF8.GetBytes(Small(root => root["added_tokens"] = new JsonArray(Token(300, "<m>", ("lstrip", true)))).ToJsonString());
        var random = new Random(4);
        var refused = 0;
        for (var round = 0; round < 500; round++)
        {
            var bytes = (byte[])sound.Clone();
            for (var change = random.Next(1, 4); change > 0; change--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (round % 3 == 0) bytes = bytes[..random.Next(bytes.Length)];
            try
            {
                var tokenizer = TokenizerJson.Parse(bytes, 0, null);
                Assert.NotNull(tokenizer.Decode([1, 2, 300, 400]));
            }
            catch (TokenizerException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 250, 500);
    }

    [Fact]
    public void Any_text_must_come_back_from_its_ids()
    {
        var tokenizer = Read(Small());
        Gen.String.Sample(text =>
        {
            // A lone half of a surrogate pair has no encoding.
            var sound = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Normalize(NormalizationForm.FormC);
            Assert.Equal(sound, tokenizer.Decode(tokenizer.Encode(text).AsSpan()));
        }, iter: 300, threads: 1);
    }
}
