using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Objectives;

/// <summary>Constants of <see cref="AdamW"/>.</summary>
/// <param name="Beta1">Memory of the mean gradient, 0 to 1.</param>
/// <param name="Beta2">Memory of the mean square, 0 to 1; 0.999 where gradients are noisy, as in reinforcement learning.</param>
/// <param name="Epsilon">Keeps the division finite.</param>
/// <param name="WeightDecay">Decoupled decay per unit of learning rate, 0 for none.</param>
public sealed record AdamSettings(double Beta1, double Beta2, double Epsilon, double WeightDecay);

/// <summary>
/// AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019), tensor by tensor and in place:
/// w -= lr * decay * w; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g²; w -= lr * (m / (1 - b1^n)) / (sqrt(v / (1 - b2^n)) + eps).
/// </summary>
public sealed class AdamW : IDisposable
{
    private const string Mean = "mean.", Square = "square.", UpdateCount = "updates";
    private readonly AdamSettings settings;
    private readonly List<Slot> slots;

    /// <param name="parameters">Float32 leaves that require gradients; sums in a narrower type would lose small updates.</param>
    /// <param name="scale">A parameter's learning rate over the common one, by its name; null = 1 for all.</param>
    public AdamW(IReadOnlyDictionary<string, Tensor> parameters, AdamSettings settings, Func<string, double>? scale = null)
    {
        this.settings = settings;
        using var scope = NewDisposeScope();
        slots = [.. parameters.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value.dtype == ScalarType.Float32
            ? new Slot(pair.Key, pair.Value, zeros_like(pair.Value).DetachFromDisposeScope(), zeros_like(pair.Value).DetachFromDisposeScope(), scale?.Invoke(pair.Key) ?? 1)
            : throw new ArgumentException($"{pair.Key} is {pair.Value.dtype}; the optimizer updates Float32 parameters", nameof(parameters)))];
    }

    /// <summary>Updates done so far, n in the formula.</summary>
    public long Updates { get; private set; }

    /// <summary>One update from the parameters' gradients; a parameter without gradient stays as it is.</summary>
    public void Step(double learningRate)
    {
        Updates++;
        double correction1 = 1 - Math.Pow(settings.Beta1, Updates), correction2 = 1 - Math.Pow(settings.Beta2, Updates);
        using var quiet = no_grad();
        foreach (var slot in slots)
        {
            using var scope = NewDisposeScope();
            if (slot.Parameter.grad is not { } gradient) continue;
            var rate = learningRate * slot.Scale;
            if (settings.WeightDecay != 0) slot.Parameter.MultiplyInPlace(1 - (rate * settings.WeightDecay));
            slot.Mean.MultiplyInPlace(settings.Beta1);
            slot.Mean.AddInPlace(gradient, 1 - settings.Beta1);
            slot.Square.MultiplyInPlace(settings.Beta2);
            slot.Square.AddProductInPlace(gradient, gradient, 1 - settings.Beta2);
            var spread = slot.Square.sqrt();
            spread.MultiplyInPlace(1 / Math.Sqrt(correction2));
            spread.AddInPlace(settings.Epsilon);
            slot.Parameter.AddQuotientInPlace(slot.Mean, spread, -rate / correction1);
        }
    }

    /// <summary>The whole state as named tensors for a safetensors file; they are the live ones, not copies, apart from the update count.</summary>
    public IReadOnlyDictionary<string, Tensor> State()
    {
        var state = slots.SelectMany(slot => new[] { (Mean + slot.Name, slot.Mean), (Square + slot.Name, slot.Square) }).ToDictionary(StringComparer.Ordinal);
        state.Add(UpdateCount, HostTensor.Of([Updates]));
        return state;
    }

    /// <summary>Continues where the optimizer that wrote <paramref name="file"/> stood, to the bit.</summary>
    /// <exception cref="SafetensorsException">A tensor of the state is missing.</exception>
    /// <exception cref="InvalidDataException">The state belongs to other parameters.</exception>
    public void Restore(SafetensorsFile file)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var pairs = slots.SelectMany(slot => new[] { (slot.Name, slot.Mean, Saved: file.Read(Mean + slot.Name)), (slot.Name, slot.Square, Saved: file.Read(Square + slot.Name)) }).ToList();
        foreach (var (name, target, saved) in pairs)
        {
            if (!target.shape.SequenceEqual(saved.shape) || file.Tensors.Count(entry => IsState(entry.Name)) != 2 * slots.Count)
                throw new InvalidDataException($"the optimizer state belongs to another model: {name} is [{string.Join(", ", saved.shape)}] there and [{string.Join(", ", target.shape)}] here");
        }

        foreach (var (_, target, saved) in pairs) target.copy_(saved);
        Updates = file.Read(UpdateCount).item<long>();
    }

    public void Dispose()
    {
        foreach (var slot in slots)
        {
            slot.Mean.Dispose();
            slot.Square.Dispose();
        }
    }

    /// <summary>Other tensors may lie beside the state.</summary>
    private static bool IsState(string name) => name.StartsWith(Mean, StringComparison.Ordinal) || name.StartsWith(Square, StringComparison.Ordinal);

    private sealed record Slot(string Name, Tensor Parameter, Tensor Mean, Tensor Square, double Scale);
}
