namespace Lateral.Diffusion.Decoding;

/// <summary>Settings of a decoder do not fit one another or the model; the message names them and what would fit.</summary>
public sealed class DecodingException(string message) : Exception(message);
