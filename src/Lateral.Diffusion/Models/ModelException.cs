namespace Lateral.Diffusion.Models;

/// <summary>A model's configuration or weights do not fit what can be computed; the message names the file, the key or tensor, and what would fit.</summary>
public sealed class ModelException(string message, Exception? cause = null) : Exception(message, cause);
