namespace Lateral.Diffusion.Tokens;

/// <summary>A tokenizer file asks for something that is not implemented, or is none; the message names the file and the part.</summary>
public sealed class TokenizerException(string message, Exception? cause = null) : Exception(message, cause);
