using static TorchSharp.torch;

namespace Lateral.Diffusion.Checkpoints;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Offset">First byte, counted from the end of the header.</param>
/// <param name="Length">Bytes; equals the shape's element count times the element size.</param>
/// <example>`new("model.transformer.wte.weight", ScalarType.Float32, [512, 64], 0, 131072)`</example>
public sealed record TensorEntry(string Name, ScalarType Type, IReadOnlyList<long> Shape, long Offset, long Length);

/// <summary>The element types that are read and written, with the names that the format gives them.</summary>
internal static class ElementTypes
{
    private static readonly (string Name, ScalarType Type, int Size)[] Known =
    [
        ("F64", ScalarType.Float64, 8), ("I64", ScalarType.Int64, 8), ("F32", ScalarType.Float32, 4), ("I32", ScalarType.Int32, 4), ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2), ("I16", ScalarType.Int16, 2), ("I8", ScalarType.Int8, 1), ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    public static string Names { get; } = string.Join(", ", Known.Select(known => known.Name));

    public static bool TryParse(string name, out ScalarType type)
    {
        var index = Array.FindIndex(Known, known => known.Name == name);
        type = index < 0 ? default : Known[index].Type;
        return index >= 0;
    }

    public static string NameOf(ScalarType type) => Find(type).Name;

    public static int SizeOf(ScalarType type) => Find(type).Size;

    private static (string Name, ScalarType Type, int Size) Find(ScalarType type)
    {
        var index = Array.FindIndex(Known, known => known.Type == type);
        return index >= 0 ? Known[index] : throw new NotSupportedException($"{type} cannot be stored; known element types: {Names}");
    }
}
