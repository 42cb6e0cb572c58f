namespace Lateral.Diffusion;

/// <summary>A device has not the memory for what it was asked to compute; the message says the shape and the setting.</summary>
public sealed class DeviceMemoryException(string message, Exception inner) : Exception(message, inner);
