using System.Globalization;
using System.Text.Json;

namespace Lateral.Diffusion.Models;

/// <summary>
/// A model's config.json while a family reads it. What the family does not ask for must be known to change nothing: a setting that nobody understands is refused by name.
/// </summary>
/// <param name="maskToken">what the model's tokenizer says; asked only where the configuration does not name the token</param>
internal sealed class ModelConfig(JsonElement root, Func<int?>? maskToken = null)
{
    /// <summary>Of bookkeeping, training and serving: no forward depends on them.</summary>
    private static readonly HashSet<string> Harmless = new(StringComparer.Ordinal)
    {
        "architectures", "auto_map", "torch_dtype", "dtype", "transformers_version", "_name_or_path", "name_or_path", "use_cache", "bos_token_id", "initializer_range",
        "output_router_logits", "output_attentions", "output_hidden_states", "return_dict", "router_aux_loss_coef", "max_window_layers", "tokenizer_class", "task_specific_params", "id2label", "label2id",
        "is_encoder_decoder", "init_cutoff_factor", "init_device", "init_fn", "init_std", "precision", "flash_attention", "fuse_cross_entropy", "mlp_ratio", "alibi_bias_max",
        "attention_layer_norm_with_affine", "attn_implementation", "_attn_implementation", "gradient_checkpointing", "pretraining_tp", "ep_size", "debug",
    };

    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    public bool Has(string key) => root.TryGetProperty(key, out var found) && found.ValueKind != JsonValueKind.Null;

    /// <summary>Null = neither configuration nor tokenizer names it.</summary>
    public int? NamedMaskToken => OptionalInt("mask_token_id") ?? maskToken?.Invoke();

    /// <exception cref="ModelException">neither configuration nor tokenizer names it</exception>
    public int MaskToken => NamedMaskToken ?? throw new ModelException("mask_token_id is missing, and no tokenizer file names a mask token");

    public string Text(string key) => Find(key) is { ValueKind: JsonValueKind.String } found ? found.GetString()! : throw Wrong(key, "a text");

    public int Int(string key) => OptionalInt(key) ?? throw new ModelException($"{key} is missing");

    public int? OptionalInt(string key) => Find(key) is not { } found ? null : found.ValueKind == JsonValueKind.Number && found.TryGetInt32(out var number) ? number : throw Wrong(key, "a whole number");

    public double Number(string key, double absent) => Find(key) is not { } found ? absent : found.ValueKind == JsonValueKind.Number && double.IsFinite(found.GetDouble()) ? found.GetDouble() : throw Wrong(key, "a number");

    /// <summary>How many blocks there are; bounded where it is read, because families count through them.</summary>
    public int Layers(string key) => Int(key) is > 0 and <= TransformerSpec.MostLayers and var layers ? layers : throw Wrong(key, $"a whole number from 1 to {TransformerSpec.MostLayers}");

    public bool Flag(string key, bool absent) => Find(key) is not { } found ? absent : found.ValueKind is JsonValueKind.True or JsonValueKind.False ? found.GetBoolean() : throw Wrong(key, "true or false");

    public IReadOnlyList<int>? Ints(string key) => Find(key) is not { } found ? null
        : found.ValueKind == JsonValueKind.Array && found.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out _)) ? [.. found.EnumerateArray().Select(item => item.GetInt32())]
        : throw Wrong(key, "a list of whole numbers");

    /// <summary>A key whose value is an object of its own.</summary>
    public ModelConfig? Section(string key) => Find(key) is not { } found ? null : found.ValueKind == JsonValueKind.Object ? new(found) : throw Wrong(key, "an object");

    /// <summary>Keys that may be left out, and otherwise must have the one value that is implemented.</summary>
    /// <param name="value">as JSON</param>
    public void Only(string key, string value)
    {
        _read.Add(key);
        if (root.TryGetProperty(key, out var found) && !Same(found, value)) throw new ModelException($"{key} = {Shortened(found.GetRawText())} is not implemented; only {key} = {value} is");
    }

    /// <summary>Keys that do not matter to this family, whatever their value.</summary>
    public void Ignore(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys) _read.Add(key);
    }

    /// <exception cref="ModelException">a setting is left that nothing here understands</exception>
    public void RequireNothingElse()
    {
        foreach (var property in root.EnumerateObject().Where(property => !_read.Contains(property.Name) && !Harmless.Contains(property.Name)))
        {
            // What is off or absent is no mathematics.
            if (property.Value.ValueKind is JsonValueKind.Null or JsonValueKind.False) continue;
            throw new ModelException($"{Shortened(property.Name)} = {Shortened(property.Value.GetRawText())} is not understood, and it may change what the model computes - remove it if it does not");
        }
    }

    private JsonElement? Find(string key)
    {
        _read.Add(key);
        return Has(key) ? root.GetProperty(key) : null;
    }

    private ModelException Wrong(string key, string wanted) => new($"{key} = {(root.TryGetProperty(key, out var found) ? Shortened(found.GetRawText()) : "nothing")} must be {wanted}");

    internal static string Shortened(string text, int most = 60) => text.Length <= most ? text : $"{text[..(most - 3)]}...";

    private static bool Same(JsonElement found, string value) => found.ValueKind switch
    {
        // 0 and 0.0 are one value.
        JsonValueKind.Number => double.TryParse(value, CultureInfo.InvariantCulture, out var number) && found.GetDouble().Equals(number),
        _ => found.GetRawText() == value,
    };
}
