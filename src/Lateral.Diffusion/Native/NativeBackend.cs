namespace Lateral.Diffusion.Native;

/// <summary>What one process loaded: where libtorch lies, which LibTorchSharp serves it, and whether a GPU can be used.</summary>
/// <param name="LibtorchDirectory">Absolute folder of libtorch_cpu and libc10.</param>
/// <param name="LibTorchSharpPath">Absolute path of the LibTorchSharp that is loaded; a repaired copy when <paramref name="Patched"/>.</param>
/// <param name="Patched">True when the C++ runtime is too old for the packaged LibTorchSharp and a repaired copy is used.</param>
/// <param name="Cuda">True when libtorch has CUDA, it initialised, and at least one device answers.</param>
/// <param name="Source">Which rule found libtorch, in words for `doctor`.</param>
public sealed record NativeBackend(string LibtorchDirectory, string LibTorchSharpPath, bool Patched, bool Cuda, string Source);

/// <summary>No usable libtorch or LibTorchSharp; the message says what was looked for, where, and how to fix it.</summary>
public sealed class NativeBackendException(string message, Exception? cause = null) : Exception(message, cause);
