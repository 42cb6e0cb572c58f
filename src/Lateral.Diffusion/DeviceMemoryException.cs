using Lateral.Diffusion.Likelihoods;

namespace Lateral.Diffusion;

/// <summary>A device has not the memory for what it was asked to compute; the message says the shape and the setting.</summary>
public sealed class DeviceMemoryException(string message, Exception inner) : Exception(message, inner)
{
    /// <param name="largest">the forward that needs most; null = there was none</param>
    /// <param name="tokens">what a micro-batch holds at most</param>
    internal static DeviceMemoryException InStep(int step, string device, MicroBatch? largest, int tokens, Exception failure) => new(
        $"step {step} does not fit the memory of {device}: its largest forward is of [{largest?.Canvases ?? 0}, {largest?.Length ?? 0}] tokens "
        + $"(canvases, length), in micro-batches of at most {tokens} tokens - set learner.micro-batch-tokens below that, or use a smaller model", failure);
}
