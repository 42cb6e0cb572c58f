using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Lateral.Core.Policies;

namespace Lateral.Diffusion.Models;

/// <summary>A LoRA adapter's settings, as PEFT's adapter_config.json has them.</summary>
/// <param name="Targets">module names: a module is adapted whose path is one of them or ends with a point and one of them</param>
/// <param name="Pattern">instead of names: a regular expression of the whole path</param>
public sealed record LoraSettings(int Rank, double Alpha, ImmutableArray<string> Targets, string? Pattern = null)
{
    public const string ConfigFile = "adapter_config.json", WeightsFile = "adapter_model.safetensors";

    private static readonly TimeSpan MatchDeadline = TimeSpan.FromSeconds(1);

    // What is not implemented, and the values that leave it off.
    private static readonly (string Key, string[] Off)[] Unimplemented =
    [
        ("bias", ["\"none\""]), ("fan_in_fan_out", ["false"]), ("use_dora", ["false"]), ("modules_to_save", ["null", "[]"]), ("rank_pattern", ["{}", "null"]), ("alpha_pattern", ["{}", "null"]),
        ("layers_to_transform", ["null"]), ("exclude_modules", ["null", "[]"]), ("use_qalora", ["false"]), ("trainable_token_indices", ["null"]), ("lora_bias", ["false"]), ("layer_replication", ["null"]), ("target_parameters", ["null", "[]"]),
    ];

    /// <summary>A run's settings for a model.</summary>
    /// <param name="path">of the model, for the reader of the adapter's files</param>
    /// <exception cref="ModelException">the files that the settings name are no adapter's, or ask for something that is not implemented</exception>
    public static LoraSettings Of(AdapterSettings settings, TransformerSpec spec, string? path)
    {
        if (settings.Path is { } folder) return Read(folder) with { Base = path };
        return new(settings.Rank, settings.Alpha, settings.Targets, settings.Targets.IsEmpty ? LoraAdapter.EveryLinearMap(spec) : null) { RankStabilised = settings.RankStabilised, Base = path };
    }

    /// <exception cref="ModelException">the folder has no adapter_config.json, or it is none</exception>
    public static LoraSettings Read(string folder)
    {
        var file = Path.Combine(folder, ConfigFile);
        try
        {
            return Parse(File.ReadAllText(file));
        }
        catch (Exception mistake) when (mistake is ModelException or JsonException or IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"'{file}': {mistake.Message}", mistake);
        }
    }

    /// <summary>The scale is alpha / sqrt(rank) and not alpha / rank.</summary>
    public bool RankStabilised { get; init; }

    /// <summary>Share of an adapter's inputs that training leaves out.</summary>
    public double Dropout { get; init; }

    public string? Base { get; init; }

    public double Scale => RankStabilised ? Alpha / Math.Sqrt(Rank) : Alpha / Rank;

    /// <summary>Whether a module is adapted, as PEFT decides.</summary>
    /// <param name="module">its path, such as <c>model.transformer.blocks.0.q_proj</c></param>
    public bool Adapts(string module) => Pattern is not null
        ? Regex.IsMatch(module, $"^(?:{Pattern})$", RegexOptions.CultureInvariant, MatchDeadline)
        : Targets.Any(target => module == target || module.EndsWith($".{target}", StringComparison.Ordinal));

    /// <exception cref="ModelException">it is no LoRA configuration, or asks for something that is not implemented</exception>
    public static LoraSettings Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object) throw new ModelException("an adapter configuration is a JSON object");
        if (!root.TryGetProperty("peft_type", out var type) || !type.ValueEquals("LORA")) throw new ModelException($"peft_type = {(type.ValueKind == JsonValueKind.Undefined ? "nothing" : type.GetRawText())} is not implemented; only \"LORA\" is");
        foreach (var (key, off) in Unimplemented)
        {
            if (root.TryGetProperty(key, out var value) && !off.Contains(value.GetRawText().Replace(" ", "", StringComparison.Ordinal))) throw new ModelException($"{key} = {value.GetRawText()} is not implemented; only {off[0]} is");
        }

        var (names, pattern) = Modules(root);
        var settings = new LoraSettings(Int(root, "r"), Number(root, "lora_alpha", 8), names, pattern)
        {
            RankStabilised = root.TryGetProperty("use_rslora", out var stabilised) && stabilised.ValueKind == JsonValueKind.True,
            Dropout = Number(root, "lora_dropout", 0),
            Base = root.TryGetProperty("base_model_name_or_path", out var origin) && origin.ValueKind == JsonValueKind.String ? origin.GetString() : null,
        };
        return settings.Rank > 0 && settings.Alpha > 0 && settings.Dropout is >= 0 and < 1 ? settings : throw new ModelException($"r {settings.Rank} and lora_alpha {settings.Alpha} must be positive, and lora_dropout {settings.Dropout} from 0 to below 1");
    }

    /// <summary>As PEFT reads it.</summary>
    public string Format() => new JsonObject
    {
        ["peft_type"] = "LORA",
        ["task_type"] = "CAUSAL_LM",
        ["base_model_name_or_path"] = Base,
        ["r"] = Rank,
        ["lora_alpha"] = Alpha,
        ["lora_dropout"] = Dropout,
        ["target_modules"] = Pattern is not null ? Pattern : new JsonArray([.. Targets.Order(StringComparer.Ordinal).Select(target => (JsonNode)target)]),
        ["bias"] = "none",
        ["fan_in_fan_out"] = false,
        ["inference_mode"] = true,
        ["use_rslora"] = RankStabilised,
        ["use_dora"] = false,
        ["modules_to_save"] = null,
        ["init_lora_weights"] = true,
    }.ToJsonString(new JsonSerializerOptions { WriteIndented = true, IndentSize = 1 }) + "\n";

    private static (ImmutableArray<string> Names, string? Pattern) Modules(JsonElement root)
    {
        if (!root.TryGetProperty("target_modules", out var modules)) throw new ModelException("target_modules is missing");
        if (modules.ValueKind == JsonValueKind.Array && modules.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String)) return ([.. modules.EnumerateArray().Select(name => name.GetString()!)], null);
        if (modules.ValueKind != JsonValueKind.String || modules.GetString() is not { Length: > 0 } pattern) throw new ModelException($"target_modules = {modules.GetRawText()} must be a list of names or one regular expression");
        try
        {
            _ = Regex.IsMatch("", pattern, RegexOptions.CultureInvariant, MatchDeadline);
            return ([], pattern);
        }
        catch (ArgumentException mistake)
        {
            throw new ModelException($"target_modules = \"{pattern}\" is no regular expression: {mistake.Message}", mistake);
        }
    }

    private static int Int(JsonElement root, string key) => root.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : throw new ModelException($"{key} must be a whole number");

    private static double Number(JsonElement root, string key, double absent) =>
        !root.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null ? absent : value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw new ModelException($"{key} = {value.GetRawText()} must be a number");
}
