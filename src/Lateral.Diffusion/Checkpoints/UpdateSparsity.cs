using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Checkpoints;

/// <summary>What training did to one tensor.</summary>
/// <param name="Unchanged">share of its numbers that differ by no more than the tolerance, both rounded to the precision they are stored in</param>
/// <param name="RelativeNorm">L2 norm of the change over that of the weights before</param>
public sealed record TensorUpdate(string Name, IReadOnlyList<long> Shape, double Unchanged, double RelativeNorm)
{
    public long Count => Shape.Aggregate(1L, (product, side) => product * side);
}

/// <summary>
/// How sparse an update is, tensor by tensor ("Reinforcement learning finetunes small subnetworks", Mukherjee et al., arXiv 2505.11711): of weights stored in bfloat16
/// most do not move at all under small learning rates, because a change below half a unit of the last place is rounded away. Measured on the precision that
/// is stored, as there.
/// </summary>
public static class UpdateSparsity
{
    /// <summary>What weights can be rounded to before they are compared; the last is no rounding of float32 ones.</summary>
    public static IReadOnlyList<string> Precisions { get; } = ["bf16", "f16", "f32"];

    /// <param name="precision">one of <see cref="Precisions"/>: both sides are rounded to it first</param>
    /// <param name="tolerance">the greatest difference that counts as none</param>
    /// <exception cref="SafetensorsException">a file is not sound, or they hold different tensors</exception>
    public static IReadOnlyList<TensorUpdate> Between(string before, string after, string precision, double tolerance)
    {
        var type = precision switch { "bf16" => ScalarType.BFloat16, "f16" => ScalarType.Float16, _ => ScalarType.Float32 };
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var first = SafetensorsFile.Open(before);
        using var second = SafetensorsFile.Open(after);
        if (first.Tensors.FirstOrDefault(tensor => !second.Contains(tensor.Name)) is { } missing)
            throw new SafetensorsException($"'{after}' has no tensor '{missing.Name}', which '{before}' has: they are of different models");
        return [.. first.Tensors.Select(tensor => Of(tensor, first, second, type, tolerance))];
    }

    private static TensorUpdate Of(TensorEntry tensor, SafetensorsFile first, SafetensorsFile second, ScalarType precision, double tolerance)
    {
        using var scope = NewDisposeScope();
        Tensor Stored(SafetensorsFile file) => file.Read(tensor.Name).to(precision).to(ScalarType.Float64);
        var (old, change) = (Stored(first), Stored(second));
        if (!old.shape.SequenceEqual(change.shape)) throw new SafetensorsException($"tensor '{tensor.Name}' has the shape [{string.Join(", ", old.shape)}] before and [{string.Join(", ", change.shape)}] after");
        change = change.Minus(old);
        var unchanged = change.abs().AtMost(tolerance).to(ScalarType.Float64).mean().item<double>();
        var norm = old.Squared().sum().sqrt().item<double>();
        return new(tensor.Name, tensor.Shape, unchanged, change.Squared().sum().sqrt().item<double>() / Math.Max(norm, double.Epsilon));
    }
}
