using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Lateral.Diffusion.Tokens;

namespace Lateral.Tests.Diffusion;

/// <summary>A tokenizer.json can come from anywhere: it is read or refused, and what it tokenizes comes to an end.</summary>
public sealed class TokenizerFuzzTests
{
    private static string Sound => File.ReadAllText(Path.Combine(Fixture.Root, "tokenizer", "tiny-tokenizer.json"));

    [Fact]
    public void Damaged_file_must_be_read_or_refused_and_nothing_else()
    {
        var (random, refused, sound) = (new Random(23), 0, Sound);
        const int rounds = 600;
        for (var round = 0; round < rounds; round++)
        {
            var text = JsonDamage.Of(sound, random);
            var bytes = Encoding.UTF8.GetBytes(text);
            if (JsonDamage.Refused<TokenizerException>(bytes.Length, () => Use(TokenizerJson.Parse(bytes, 0, null)), text)) refused++;
        }

        Assert.InRange(refused, rounds / 4, rounds - 20);
    }

    [Theory]
    [InlineData("it is not the JSON of a tokenizer", "9999999999", "model", "vocab", "!")]
    [InlineData("which is negative or not below 16777216", "2147483647", "model", "vocab", "!")]
    [InlineData("which is negative or not below 16777216", "-1", "model", "vocab", "!")]
    [InlineData("that is negative or not below 16777216", "2147483647", "added_tokens", "0", "id")]
    [InlineData("merge 0 is no pair of two byte-level tokens", "[\"a b c\"]", "model", "merges")]
    [InlineData("merge 0 is no pair of two byte-level tokens", "[[\"a\"]]", "model", "merges")]
    [InlineData("it is not the JSON of a tokenizer", "[7]", "model", "merges")]
    [InlineData("it is not the JSON of a tokenizer", "{\"a\": 1}", "model", "merges")]
    [InlineData("is not implemented", "[{\"type\": \"Sequence\", \"pretokenizers\": []}]", "pre_tokenizer", "pretokenizers")]
    public void Wrong_value_must_be_refused_with_its_place(string expected, string value, params string[] path)
    {
        var root = JsonNode.Parse(Sound)!;
        var parent = path[..^1].Aggregate(root, (inner, key) => inner is JsonArray list ? list[int.Parse(key)]! : inner[key]!);
        parent[path[^1]] = JsonNode.Parse(value);
        Assert.Contains(expected, Assert.Throws<TokenizerException>(() => TokenizerJson.Parse(Encoding.UTF8.GetBytes(root.ToJsonString()), 0, null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Key_that_stands_there_twice_must_be_refused()
    {
        var text = Sound;
        text = "{\"model\":null," + text[(text.IndexOf('{', StringComparison.Ordinal) + 1)..];
        Assert.Contains("model", Assert.Throws<TokenizerException>(() => TokenizerJson.Parse(Encoding.UTF8.GetBytes(text), 0, null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_without_end_must_be_refused()
    {
        var text = Sound;
        var end = text.LastIndexOf('}');
        Assert.Throws<TokenizerException>(() => TokenizerJson.Parse(Encoding.UTF8.GetBytes($"{text[..end]},\"x\":{new string('[', 100_000)}"), 0, null));
    }

    /// <summary>Each tries exponentially many ways, or has no use for the time it takes.</summary>
    [Theory]
    [InlineData("(a|aa)+$", 60)]
    [InlineData("(a*)*b", 40)]
    [InlineData("(?:a|aa|aaa)+[^a!]", 60)]
    [InlineData("(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^a!]", 400)]
    public void Pattern_that_never_ends_must_be_given_up_with_its_name(string pattern, int length)
    {
        var watch = Stopwatch.StartNew();
        var endless = new SplitPattern(pattern, deadline: TimeSpan.FromMilliseconds(100));
        var message = Assert.Throws<TokenizerException>(() => endless.Split(new string('a', length) + "!").ToList()).Message;
        Assert.StartsWith($"the tokenizer's pattern {pattern} took more than ", message, StringComparison.Ordinal);
        Assert.InRange(watch.Elapsed, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(5));
    }

    /// <summary>No single match takes long, and there is one at every character.</summary>
    [Fact]
    public void Many_slow_matches_must_be_given_up_together()
    {
        var (slow, watch) = (new SplitPattern("(?=(?:a|aa){13}b).|.", deadline: TimeSpan.FromMilliseconds(200)), Stopwatch.StartNew());
        Assert.Throws<TokenizerException>(() => slow.Split(new string('a', 30_000)).ToList());
        // 200 ms, and 20 us for every character.
        Assert.InRange(watch.Elapsed, TimeSpan.FromMilliseconds(790), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Tokenizer_with_such_a_pattern_must_say_so_where_it_is_used()
    {
        var root = JsonNode.Parse(Sound)!;
        root["pre_tokenizer"] = JsonNode.Parse("""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(a|aa)+$"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""");
        var tokenizer = TokenizerJson.Parse(Encoding.UTF8.GetBytes(root.ToJsonString()), 0, null);
        Assert.Contains("the tokenizer's pattern (a|aa)+$ took more than 3", Assert.Throws<TokenizerException>(() => tokenizer.Encode(new string('a', 80) + "!")).Message, StringComparison.Ordinal);
    }

    /// <summary>Deep, long and damaged patterns: translated, run or refused.</summary>
    [Fact]
    public void Any_pattern_must_run_or_be_refused()
    {
        string[] parts = ["(", ")", "[", "]", "^", "a", "\\p{L}", "\\p{", "{2,3}", "{", "}", "+", "*", "?", "++", "|", "(?i:", "(?!", "\\", " ", "(?>", "-", "é", "(?<a>", "\\k<a>"];
        var random = new Random(31);
        var patterns = Enumerable.Range(0, 3000).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ => parts[random.Next(parts.Length)])))
            .Concat([string.Concat(Enumerable.Repeat("(", 2000)) + "a" + string.Concat(Enumerable.Repeat(")", 2000)), string.Concat(Enumerable.Repeat("a++", 1300)), string.Concat(Enumerable.Repeat("(?:a|b", 500)) + string.Concat(Enumerable.Repeat(")*", 500)), new string('a', 5000), new string('{', 4000)]);
        var ran = 0;
        foreach (var pattern in patterns)
        {
            var root = JsonNode.Parse("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":""},"behavior":"Isolated"},{"type":"ByteLevel","use_regex":false}]}}""")!;
            root["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"] = pattern;
            var bytes = Encoding.UTF8.GetBytes(root.ToJsonString());
            if (!JsonDamage.Refused<TokenizerException>(bytes.Length, () => TokenizerJson.Parse(bytes, 0, null), pattern)) ran++;
        }

        Assert.InRange(ran, 100, 2900);
    }

    /// <summary>What is tokenized comes back as it was, or a byte of it is no token.</summary>
    private static void Use(BytePairTokenizer tokenizer)
    {
        Assert.InRange(tokenizer.VocabularySize, 1, 1 << 24);
        try
        {
            _ = tokenizer.Decode(tokenizer.Encode("Hello  world, 123 <|im_end|>\n").AsSpan(), special: true);
        }
        catch (FormatException)
        {
        }
    }
}
