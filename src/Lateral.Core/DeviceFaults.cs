namespace Lateral.Core;

/// <summary>What an engine's failure says about its device.</summary>
public enum DeviceFault
{
    /// <summary>Nothing: the failure lies elsewhere.</summary>
    None,

    /// <summary>An allocation failed; the device goes on, and less at once may fit.</summary>
    OutOfMemory,

    /// <summary>The process's context on the device is broken: every later call fails, or answers nonsense. Only a new process has a new one.</summary>
    Sticky,
}

/// <summary>Classifies failures by their text: native libraries raise one exception type for all of them.</summary>
public static class DeviceFaults
{
    /// <summary>As libtorch's allocators, CUDA and cuBLAS put it.</summary>
    private static readonly string[] OutOfMemory =
        ["out of memory", "can't allocate memory", "not enough memory", "cudaErrorMemoryAllocation", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED"];

    /// <summary>The errors after which the CUDA runtime keeps returning the same one.</summary>
    private static readonly string[] Sticky =
    [
        "illegal memory access", "device-side assert", "unspecified launch failure", "misaligned address", "illegal instruction was encountered",
        "invalid program counter", "hardware stack error", "ECC error", "launch timed out", "context is destroyed", "invalid address space",
        "CUBLAS_STATUS_EXECUTION_FAILED", "CUDNN_STATUS_EXECUTION_FAILED", "unknown error", "fallen off the bus",
    ];

    public static DeviceFault Of(Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        for (var at = failure; at is not null; at = at.InnerException!)
        {
            if (at is OutOfMemoryException) return DeviceFault.OutOfMemory;
            if (Of(at.Message) is not DeviceFault.None and var fault) return fault;
        }

        return DeviceFault.None;
    }

    /// <summary>The words alone: what is left of a failure that was told over the network.</summary>
    public static DeviceFault Of(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        // An assert's text may hold anything, so the graver reading wins; both only where the device is spoken of.
        if (message.Contains("CU", StringComparison.Ordinal) && Says(message, Sticky)) return DeviceFault.Sticky;
        return Says(message, OutOfMemory) ? DeviceFault.OutOfMemory : DeviceFault.None;
    }

    private static bool Says(string message, string[] words) => Array.Exists(words, word => message.Contains(word, StringComparison.OrdinalIgnoreCase));
}
