namespace Lateral.Diffusion;

/// <summary>An engine met a failure on its device thread and refuses further calls; the inner exception is the first cause.</summary>
public sealed class EngineFailedException(string engine, Exception cause)
    : Exception($"{engine} failed and must be replaced: {cause.Message}", cause);
