using Lateral.Core;

namespace Lateral.Diffusion.RewardModels;

/// <summary>A reward model's forward that its device has not the memory for, told by its shape.</summary>
internal static class RewardMemory
{
    /// <exception cref="DeviceMemoryException">it does not fit</exception>
    public static T Guarded<T>(RewardBatch batch, RewardModel model, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception failure) when (DeviceFaults.Of(failure) == DeviceFault.OutOfMemory)
        {
            throw new DeviceMemoryException(
                $"a forward of [{batch.Texts}, {batch.Length}] tokens (texts, length) does not fit the memory of {model.Device}: give it fewer at once, or shorter ones, or use a smaller model", failure);
        }
    }
}
