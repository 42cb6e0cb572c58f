using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Objectives;

/// <summary>What is done with all gradients of a model at once.</summary>
public static class Gradients
{
    /// <summary>The Euclidean norm of all gradients together; NaN or infinity when any is. Parameters without gradient count as zero.</summary>
    public static double Norm(IEnumerable<Tensor> parameters)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var norms = parameters.Select(parameter => parameter.grad).OfType<Tensor>().Select(gradient => gradient.norm().to_type(ScalarType.Float32)).ToList();
        return norms.Count == 0 ? 0 : stack(norms).norm().item<float>();
    }

    /// <summary>Scales all gradients so that their common norm is at most <paramref name="limit"/> (Pascanu et al. 2013) and returns the norm before.</summary>
    /// <remarks>A norm that is not finite leaves the gradients alone: the caller must skip the update, not hide it.</remarks>
    public static double Clip(IReadOnlyCollection<Tensor> parameters, double limit)
    {
        var norm = Norm(parameters);
        if (!double.IsFinite(norm) || norm <= limit) return norm;
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        foreach (var parameter in parameters) parameter.grad?.MultiplyInPlace(limit / norm);
        return norm;
    }

    /// <summary>Forgets all gradients, so that the next backward pass begins at zero.</summary>
    public static void Clear(IEnumerable<Tensor> parameters)
    {
        using var scope = NewDisposeScope();
        foreach (var parameter in parameters) parameter.grad = null;
    }
}
