using System.Collections.Immutable;
using System.Text.Json;

namespace Lateral.Diffusion.Tokens;

/// <summary>
/// Reads a Hugging Face tokenizer.json of the kind that diffusion language models come with: NFC, added tokens, splitting patterns, byte level, BPE. Whatever else a file asks for is refused by name: a
/// prompt that is tokenized otherwise than in training makes a model silently worse.
/// </summary>
public static class TokenizerJson
{
    public const string File = "tokenizer.json";

    private const long MostBytes = 256L << 20;

    /// <summary>A hundred times what published ones have; tables are made by the largest.</summary>
    private const int MostId = 1 << 24;

    private const int MostOfMessage = 600;

    /// <param name="maskId">the model's mask token</param>
    /// <param name="endId">what ends a completion</param>
    /// <exception cref="TokenizerException">the file is no tokenizer, or asks for something that is not implemented</exception>
    /// <exception cref="FileNotFoundException">there is no such file</exception>
    public static BytePairTokenizer Read(string path, int maskId, int? endId)
    {
        try
        {
            if (new FileInfo(path).Length > MostBytes) throw new TokenizerException($"it has more than {MostBytes} bytes");
            return Parse(System.IO.File.ReadAllBytes(path), maskId, endId);
        }
        catch (TokenizerException mistake)
        {
            throw new TokenizerException($"'{path}': {mistake.Message}", mistake);
        }
    }

    /// <inheritdoc cref="Read"/>
    public static BytePairTokenizer Parse(ReadOnlyMemory<byte> json, int maskId, int? endId)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false });
            return new BytePairTokenizer(Spec(document.RootElement), maskId, endId);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or ArgumentException or OverflowException or InsufficientExecutionStackException)
        {
            throw new TokenizerException($"it is not the JSON of a tokenizer: {Shortened(error.Message)}", error);
        }
        catch (TokenizerException mistake) when (mistake.Message.Length > MostOfMessage)
        {
            // Names and values of the file stand in messages, and they may be as long as it.
            throw new TokenizerException($"{mistake.Message[..MostOfMessage]}...", mistake);
        }
    }

    private static BytePairSpec Spec(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) throw new TokenizerException("a tokenizer is a JSON object");
        Only(root, "the tokenizer", "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        // How long a text may be and how batches are padded is decided elsewhere here.
        var model = root.GetProperty("model");
        Only(model, "model", "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges");
        if (Text(model, "type") is { } type and not "BPE") throw new TokenizerException($"model.type {type} is not implemented; only BPE is");
        Off(model, "model.dropout", "dropout");
        Off(model, "model.byte_fallback", "byte_fallback");
        Off(model, "model.continuing_subword_prefix", "continuing_subword_prefix");
        Off(model, "model.end_of_word_suffix", "end_of_word_suffix");
        var vocabulary = Vocabulary(model.GetProperty("vocab"));
        var added = root.TryGetProperty("added_tokens", out var tokens) && tokens.ValueKind == JsonValueKind.Array ? tokens.EnumerateArray().Select(Added).ToList() : [];
        var patterns = new List<SplitPattern>();
        var (prefixSpace, byteLevel) = (false, false);
        foreach (var part in Parts(root, "pre_tokenizer", "pretokenizers"))
        {
            if (Text(part, "type") == "Split") patterns.Add(Split(part));
            else if (Text(part, "type") == "ByteLevel")
            {
                Only(part, "pre_tokenizer ByteLevel", "type", "add_prefix_space", "trim_offsets", "use_regex");
                (prefixSpace, byteLevel) = (Flag(part, "add_prefix_space", true), true);
                if (Flag(part, "use_regex", true)) patterns.Add(new(SplitPattern.ByteLevel));
            }
            else throw new TokenizerException($"pre_tokenizer {Text(part, "type")} is not implemented; Split and ByteLevel are");
        }

        if (!byteLevel) throw new TokenizerException("a pre_tokenizer ByteLevel is needed: only byte-level vocabularies are implemented");
        foreach (var part in Parts(root, "decoder", "decoders"))
        {
            if (Text(part, "type") != "ByteLevel") throw new TokenizerException($"decoder {Text(part, "type")} is not implemented; only ByteLevel is");
        }

        var (before, after) = Around(root, added, vocabulary);
        return new(vocabulary, Merges(model.GetProperty("merges"), vocabulary), added, Composes(root), patterns, prefixSpace, Flag(model, "ignore_merges", false), before, after);
    }

    private static bool Composes(JsonElement root)
    {
        var composes = false;
        foreach (var part in Parts(root, "normalizer", "normalizers"))
        {
            if (Text(part, "type") != "NFC") throw new TokenizerException($"normalizer {Text(part, "type")} is not implemented; only NFC is");
            composes = true;
        }

        return composes;
    }

    private static SplitPattern Split(JsonElement part)
    {
        Only(part, "pre_tokenizer Split", "type", "pattern", "behavior", "invert");
        if (Text(part, "behavior") is var behavior && behavior != "Isolated") throw new TokenizerException($"pre_tokenizer Split with behavior {behavior} is not implemented; only Isolated is");
        if (Flag(part, "invert", false)) throw new TokenizerException("pre_tokenizer Split with invert is not implemented");
        var pattern = part.GetProperty("pattern");
        try
        {
            if (Text(pattern, "Regex") is { } regex) return new(regex);
            if (Text(pattern, "String") is { Length: > 0 } literal) return new(literal, literal: true);
        }
        catch (ArgumentException mistake)
        {
            throw new TokenizerException($"pre_tokenizer Split has a pattern that cannot be run: {mistake.Message}", mistake);
        }

        throw new TokenizerException("pre_tokenizer Split needs a pattern Regex or String");
    }

    /// <summary>What a post-processor puts around a single text.</summary>
    private static (ImmutableArray<int> Before, ImmutableArray<int> After) Around(JsonElement root, List<AddedToken> added, Dictionary<string, int> vocabulary)
    {
        var (before, after) = (ImmutableArray.CreateBuilder<int>(), ImmutableArray.CreateBuilder<int>());
        foreach (var part in Parts(root, "post_processor", "processors"))
        {
            if (Text(part, "type") == "ByteLevel") continue;
            if (Text(part, "type") != "TemplateProcessing") throw new TokenizerException($"post_processor {Text(part, "type")} is not implemented; ByteLevel and TemplateProcessing are");
            var ids = before;
            foreach (var piece in part.GetProperty("single").EnumerateArray())
            {
                if (piece.TryGetProperty("Sequence", out _)) ids = after;
                else if (piece.TryGetProperty("SpecialToken", out var token) && Text(token, "id") is { } name)
                    ids.Add(added.LastOrDefault(known => known.Content == name)?.Id ?? (vocabulary.TryGetValue(name, out var id) ? id : throw new TokenizerException($"post_processor names the token {name}, which there is not")));
                else throw new TokenizerException("post_processor TemplateProcessing has a piece that is neither Sequence nor SpecialToken");
            }
        }

        return (before.ToImmutable(), after.ToImmutable());
    }

    private static AddedToken Added(JsonElement token)
    {
        Only(token, "an added token", "id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
        return new(
            token.GetProperty("id").GetInt32() is >= 0 and < MostId and var id ? id : throw new TokenizerException($"the added token {Shortened(Text(token, "content") ?? "")} has an id that is negative or not below {MostId}"), Text(token, "content") ?? throw new TokenizerException("an added token has no content"),
            Flag(token, "lstrip", false), Flag(token, "rstrip", false), Flag(token, "single_word", false), Flag(token, "normalized", !Flag(token, "special", false)), Flag(token, "special", false));
    }

    private static Dictionary<string, int> Vocabulary(JsonElement vocab)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var ids = new HashSet<int>();
        foreach (var token in vocab.EnumerateObject())
        {
            var id = token.Value.GetInt32();
            if (id is < 0 or >= MostId) throw new TokenizerException($"the token {Shortened(token.Name)} has the id {id}, which is negative or not below {MostId}");
            if (!ids.Add(id) || !vocabulary.TryAdd(token.Name, id)) throw new TokenizerException($"the token {Shortened(token.Name)} or its id {id} stands in the vocabulary twice");
        }

        return vocabulary.Count > 0 ? vocabulary : throw new TokenizerException("the vocabulary is empty");
    }

    /// <summary>Pairs are written as one text with a space between them, or as a list of two.</summary>
    private static List<string> Merges(JsonElement merges, Dictionary<string, int> vocabulary)
    {
        var read = new List<string>();
        foreach (var (rank, merge) in merges.EnumerateArray().Index())
        {
            var pair = merge.ValueKind == JsonValueKind.String ? merge.GetString()!.Split(' ', 3) : [.. merge.EnumerateArray().Select(half => half.GetString()!)];
            if (pair is not [{ Length: > 0 } left, { Length: > 0 } right] || left.Contains(' ', StringComparison.Ordinal) || right.Contains(' ', StringComparison.Ordinal))
                throw new TokenizerException($"merge {rank} is no pair of two byte-level tokens");
            if (!vocabulary.ContainsKey(left) || !vocabulary.ContainsKey(right) || !vocabulary.ContainsKey(left + right))
                throw new TokenizerException($"merge {rank} ({Shortened($"{left} {right}")}) is of tokens, or to one, that the vocabulary does not have");
            read.Add($"{left} {right}");
        }

        return read;
    }

    /// <summary>A component, the components of a sequence, or none.</summary>
    private static IEnumerable<JsonElement> Parts(JsonElement root, string name, string within)
    {
        if (!root.TryGetProperty(name, out var component) || component.ValueKind == JsonValueKind.Null) return [];
        if (Text(component, "type") != "Sequence") return [component];
        return [.. component.GetProperty(within).EnumerateArray()];
    }

    private static void Only(JsonElement element, string where, params ReadOnlySpan<string> keys)
    {
        foreach (var property in element.EnumerateObject())
        {
            if (!keys.Contains(property.Name) && property.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.False)) throw new TokenizerException($"{where} has a setting that is not understood: {Shortened(property.Name)}");
        }
    }

    private static void Off(JsonElement element, string name, string key)
    {
        if (element.TryGetProperty(key, out var value) && value.GetRawText() is not ("null" or "false" or "\"\"" or "0" or "0.0"))
            throw new TokenizerException($"{name} = {Shortened(value.GetRawText())} is not implemented");
    }

    private static string Shortened(string text) => text.Length <= 200 ? text : $"{text[..197]}...";

    private static string? Text(JsonElement element, string key) => element.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Flag(JsonElement element, string key, bool absent) => element.TryGetProperty(key, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : absent;
}
