using System.Text.Json;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>A case's JSON. What it lacks is named, so that a case of another layout says what is wrong with it.</summary>
internal static class FixtureJson
{
    /// <summary>Null where the key is absent, or null itself.</summary>
    public static JsonElement? Find(this JsonElement element, string key) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(key, out var found) && found.ValueKind != JsonValueKind.Null ? found : null;

    public static JsonElement Of(this JsonElement element, string key) => element.Find(key) ?? throw new JsonException($"{key} is missing");

    public static int Int(this JsonElement element, string key) => element.Of(key).GetInt32();

    public static int Int(this JsonElement element, string key, int absent) => element.Find(key)?.GetInt32() ?? absent;

    public static double Number(this JsonElement element, string key) => element.Of(key).GetDouble();

    public static double Number(this JsonElement element, string key, double absent) => element.Find(key)?.GetDouble() ?? absent;

    public static string? Text(this JsonElement element, string key) => element.Find(key)?.GetString();

    public static bool Flag(this JsonElement element, string key) => element.Find(key) is { ValueKind: JsonValueKind.True };

    public static IEnumerable<JsonElement> List(this JsonElement element, string key) => element.Of(key).EnumerateArray();

    public static double[] Numbers(this JsonElement list) => [.. list.EnumerateArray().Select(number => number.GetDouble())];

    public static int[] Ints(this JsonElement list) => [.. list.EnumerateArray().Select(number => number.GetInt32())];

    /// <summary>A list of rows of ids.</summary>
    public static long[][] Rows(this JsonElement rows) => [.. rows.EnumerateArray().Select(row => row.EnumerateArray().Select(id => id.GetInt64()).ToArray())];

    /// <summary>[B, L] int64 of a list of rows.</summary>
    public static Tensor Batch(this JsonElement rows) => rows.Rows().Stacked();

    /// <inheritdoc cref="Batch(JsonElement)"/>
    public static Tensor Stacked(this long[][] rows) => HostTensor.Of([.. rows.SelectMany(row => row)], rows.Length, rows[0].Length);
}
