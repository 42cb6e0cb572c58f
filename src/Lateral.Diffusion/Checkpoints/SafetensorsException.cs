namespace Lateral.Diffusion.Checkpoints;

/// <summary>A file that is not a sound safetensors file; the message names the file, what is wrong with it, and what to do.</summary>
public sealed class SafetensorsException(string message, Exception? cause = null) : Exception(message, cause);
