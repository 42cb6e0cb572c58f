namespace Lateral.Core.Tests;

public sealed class DeviceFaultsTests
{
    [Theory]
    [InlineData("CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 23.65 GiB total capacity)", DeviceFault.OutOfMemory)]
    [InlineData("CUDA error: out of memory", DeviceFault.OutOfMemory)]
    [InlineData("[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 8000000000000 bytes. Error code 12 (Cannot allocate memory)", DeviceFault.OutOfMemory)]
    [InlineData("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", DeviceFault.OutOfMemory)]
    [InlineData("CUDA error: an illegal memory access was encountered", DeviceFault.Sticky)]
    [InlineData("CUDA error: device-side assert triggered", DeviceFault.Sticky)]
    [InlineData("CUDA error: unspecified launch failure", DeviceFault.Sticky)]
    [InlineData("CUDA error: uncorrectable ECC error encountered", DeviceFault.Sticky)]
    [InlineData("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(...)`", DeviceFault.Sticky)]
    [InlineData("CUDA error: invalid device ordinal", DeviceFault.None)]
    [InlineData("an unknown error of the reward's server", DeviceFault.None)]
    [InlineData("policy version 3 gives logits that are not finite", DeviceFault.None)]
    public void Failure_must_be_read_from_its_words(string message, DeviceFault expected)
    {
        Assert.Equal(expected, DeviceFaults.Of(message));
        Assert.Equal(expected, DeviceFaults.Of(new InvalidOperationException("the engine failed", new System.Runtime.InteropServices.ExternalException(message))));
    }
}
