using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class DeviceThreadTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Run_must_keep_all_work_on_one_thread_in_order()
    {
        using var device = new DeviceThread("test");
        var seen = new List<int>();
        var ids = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => device.Run(() =>
        {
            seen.Add(i);
            return Environment.CurrentManagedThreadId;
        }))).WaitAsync(Deadline);
        Assert.Single(ids.Distinct());
        Assert.NotEqual(Environment.CurrentManagedThreadId, ids[0]);
        Assert.Equal(Enumerable.Range(0, 50), seen);
    }

    [Fact]
    public async Task Run_must_dispose_what_the_work_left_behind()
    {
        using var device = new DeviceThread("test");
        var live = await device.Run(() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount).WaitAsync(Deadline);
        Tensor? escaped = null;
        await device.Run(() => { escaped = ones(3).Plus(ones(3)); }).WaitAsync(Deadline);
        Assert.True(escaped!.IsInvalid);
        Assert.Equal(live, await device.Run(() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount).WaitAsync(Deadline));
    }

    [Fact]
    public async Task Run_must_switch_autograd_as_asked()
    {
        using var device = new DeviceThread("test");
        Assert.False(await device.Run(() => ones(1, requires_grad: true).Times(2).requires_grad).WaitAsync(Deadline));
        Assert.True(await device.Run(() => ones(1, requires_grad: true).Times(2).requires_grad, Autograd.On).WaitAsync(Deadline));
    }

    [Fact]
    public async Task Failure_must_reach_the_caller_and_spare_the_thread()
    {
        using var device = new DeviceThread("test");
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => device.Run<int>(() => throw new InvalidOperationException("bad work")).WaitAsync(Deadline));
        Assert.Equal("bad work", error.Message);
        await Assert.ThrowsAnyAsync<Exception>(() => device.Run(() => ones(2, 3).mm(ones(2, 3)).item<float>()).WaitAsync(Deadline));
        Assert.Equal(7, await device.Run(() => 7).WaitAsync(Deadline));
    }

    [Fact]
    public async Task Run_must_refuse_to_hand_out_a_tensor()
    {
        using var device = new DeviceThread("test");
        await Assert.ThrowsAsync<ArgumentException>(() => device.Run(() => ones(1)));
    }

    [Fact]
    public async Task Dispose_must_fail_queued_work_and_name_a_thread_that_hangs()
    {
        using var release = new ManualResetEventSlim();
        using var started = new ManualResetEventSlim();
        var device = new DeviceThread("sampler cpu", TimeSpan.FromMilliseconds(50));
        var running = device.Run(() => { started.Set(); return release.Wait(Deadline); });
        var queued = device.Run(() => 1);
        Assert.True(started.Wait(Deadline));

        var error = Assert.Throws<TimeoutException>(device.Dispose);
        Assert.Contains("sampler cpu", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => queued.WaitAsync(Deadline));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => device.Run(() => 2).WaitAsync(Deadline));
        release.Set();
        Assert.True(await running.WaitAsync(Deadline));
    }
}
